import { toNumber } from "../value.ts";
import { type FunctionTable, MANY, taking } from "./function.ts";

// Folded, not spread: a list of a hundred thousand numbers is more than a call takes as arguments.
export const NUMBER_FUNCTIONS: FunctionTable = {
  abs: taking(1, 1, (n = null) => Math.abs(toNumber(n))),
  ceil: taking(1, 1, (n = null) => Math.ceil(toNumber(n))),
  floor: taking(1, 1, (n = null) => Math.floor(toNumber(n))),
  max: taking(1, MANY, (...numbers) => numbers.map(toNumber).reduce((a, b) => Math.max(a, b))),
  min: taking(1, MANY, (...numbers) => numbers.map(toNumber).reduce((a, b) => Math.min(a, b))),
};
