import { toInteger, toNumber, toText } from "../value.ts";
import { type FunctionTable, MANY, refuse, taking } from "./function.ts";

// Folded, not spread: a list of a hundred thousand numbers is more than a call takes as arguments.
export const NUMBER_FUNCTIONS: FunctionTable = {
  abs: taking(1, 1, (n = null) => Math.abs(toNumber(n))),
  ceil: taking(1, 1, (n = null) => Math.ceil(toNumber(n))),
  floor: taking(1, 1, (n = null) => Math.floor(toNumber(n))),
  max: taking(1, MANY, (...numbers) => numbers.map(toNumber).reduce((a, b) => Math.max(a, b))),
  min: taking(1, MANY, (...numbers) => numbers.map(toNumber).reduce((a, b) => Math.min(a, b))),
  pow: taking(2, 2, (base = null, exponent = null) => finite(toNumber(base) ** toNumber(exponent))),
  log: taking(2, 2, (n = null, base = null) => finite(Math.log(toNumber(n)) / Math.log(toNumber(base)))),
  signum: taking(1, 1, (n = null) => Math.sign(toNumber(n))),
  parseint: taking(2, 2, (text = null, base = null) => {
    const [digits, radix] = [toText(text), toInteger(base)];
    if (radix < 2 || radix > 36) return refuse("the base must be between 2 and 36");
    const value = Number.parseInt(digits, radix);
    const isWhole = /^[+-]?[0-9a-zA-Z]+$/.test(digits) && [...digits.replace(/^[+-]/, "")].every(isDigitOf(radix));
    return isWhole ? value : refuse(`cannot parse ${JSON.stringify(digits)} as a whole number of base ${radix}`);
  }),
};

function isDigitOf(radix: number): (digit: string) => boolean {
  return (digit) => Number.parseInt(digit, 36) < radix;
}

function finite(n: number): number {
  return Number.isFinite(n) ? n : refuse("the result is no finite number");
}
