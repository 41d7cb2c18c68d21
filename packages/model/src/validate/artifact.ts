import type { TaskArtifact } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { escapesTask } from "./paths.ts";

/** Digits of a checksum, by kind. */
const CHECKSUM_DIGITS: Readonly<Record<string, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };

export function validateArtifact(artifact: TaskArtifact): string[] {
  const errors: string[] = [];
  if (artifact.GetterSource === "") errors.push("source must be specified");
  if (!["", "any", "file", "dir"].includes(artifact.GetterMode ?? "")) {
    errors.push(`invalid artifact mode ${quote(artifact.GetterMode ?? "")}; must be one of: any, file, dir`);
  }
  if (escapesTask(artifact.RelativeDest ?? "")) errors.push("destination escapes allocation directory");
  const checksum = artifact.GetterOptions.checksum;
  const error = checksum === undefined ? undefined : checksumError(checksum);
  if (error !== undefined) errors.push(error);
  return errors;
}

/** One with `${…}` in it is only known on the node. */
function checksumError(given: string): string | undefined {
  if (/\$\{[^}]*\}/.test(given)) return undefined;
  const text = given.trim();
  if (text === "") return "checksum value cannot be empty";
  const parts = text.split(":");
  const [kind = "", digits = ""] = parts;
  if (parts.length !== 2) return `checksum must be given as "type:value"; got ${quote(text)}`;
  const odd = /[^0-9a-fA-F]/.exec(digits)?.[0];
  if (odd !== undefined) {
    return `invalid checksum: encoding/hex: invalid byte: U+${(odd.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0")} '${odd}'`;
  }
  if (digits.length % 2 === 1) return "invalid checksum: encoding/hex: odd length hex string";
  const expected = Object.hasOwn(CHECKSUM_DIGITS, kind) ? CHECKSUM_DIGITS[kind] : undefined;
  if (expected === undefined) return `unsupported checksum type: ${kind}`;
  return digits.length === expected ? undefined : `invalid ${kind} checksum: ${digits}`;
}
