import { SteppeError } from "@steppe/model";

type Fields = Readonly<Record<string, unknown>>;

/** Arguments of a call as they came: servers check them, and this node does once more. */
export function argumentsOf(json: string): Fields {
  if (json === "") return {};
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

export function flagOf(fields: Fields, name: string): boolean {
  return fields[name] === true;
}

/** A whole number from 0 on; 0 where there is none. */
export function numberOf(fields: Fields, name: string): number {
  const value = fields[name] ?? 0;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new SteppeError("invalid", `${name} must be a number from 0 on`);
}

export function textsOf(fields: Fields, name: string): string[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter((it) => typeof it === "string") : [];
}
