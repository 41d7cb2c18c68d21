import { SteppeError } from "../errors.ts";
import { quote } from "../go-text.ts";
import type { Selector } from "./expression.ts";
import { type FieldType, fieldType, isBareList, typeName } from "./field-type.ts";

/** Reads what a selector means; undefined = not there. `locals` are the values that any and all bind. */
export type Get = (item: unknown, locals: readonly unknown[]) => unknown;

export interface Target {
  readonly type: FieldType;
  readonly get: Get;
}

/** What a name of an expression means where it stands. */
export interface Scope {
  /** The message that is filtered. */
  readonly message: string;
  /** Of fields that the items do not have as they are. */
  readonly fields: Readonly<Record<string, (item: never) => unknown>>;
  /** Innermost last. */
  readonly names: readonly { readonly name: string; readonly target: Target }[];
}

/** Follows a path by the contract's types. Throws `invalid`, in the API's words, where it leads nowhere. */
export function resolveSelector(selector: Selector, scope: Scope): Target {
  const { path } = selector;
  const bound = scope.names.findLast(({ name }) => name === path[0]);
  let target = bound?.target ?? rootField(path, scope);
  for (let i = 1; i < path.length; i++) target = step(target, path, i);
  return target;
}

function rootField(path: readonly string[], { message, fields }: Scope): Target {
  const name = path[0] as string;
  const type = fieldType(message, name);
  if (type === undefined) throw noField(path, 0);
  const given = Object.hasOwn(fields, name) ? (fields[name] as (item: unknown) => unknown) : undefined;
  const get: Get = given ?? ((item) => (item as Record<string, unknown>)[name]);
  return withoutWrapper({ type, get });
}

function step({ type, get }: Target, path: readonly string[], i: number): Target {
  const part = path[i] as string;
  switch (type.kind) {
    case "message": {
      const of = fieldType(type.message, part);
      if (of === undefined) throw noField(path, i);
      return withoutWrapper({
        type: of,
        get: (item, locals) => (get(item, locals) as Record<string, unknown> | undefined)?.[part],
      });
    }
    case "map":
      return withoutWrapper({ type: type.of, get: (item, locals) => own(get(item, locals), part) });
    case "list": {
      if (!/^\d+$/.test(part))
        throw cannotFind(`${pointer(path)} at part ${i}: couldn't convert ${quote(part)} to int`);
      const at = Number(part);
      return withoutWrapper({
        type: type.of,
        get: (item, locals) => (get(item, locals) as unknown[] | undefined)?.[at],
      });
    }
    case "any":
      return { type, get: (item, locals) => own(get(item, locals), part) };
    default:
      throw cannotFind(`${pointer(path)}: at part ${i}, invalid value kind: ${typeName(type)}`);
  }
}

function own(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** A message that stands for a bare list, as that list. */
export function withoutWrapper({ type, get }: Target): Target {
  if (type.kind !== "message" || !isBareList(type.message)) return { type, get };
  return {
    type: fieldType(type.message, "Values") as FieldType,
    get: (item, locals) => (get(item, locals) as { Values: unknown } | undefined)?.Values,
  };
}

function noField(path: readonly string[], i: number): SteppeError {
  const reason = `couldn't find key: struct field with name ${quote(path[i] as string)}`;
  return cannotFind(`${pointer(path)} at part ${i}: ${reason}`);
}

function cannotFind(what: string): SteppeError {
  return unusable(`error finding value in datum: ${what}`);
}

function pointer(path: readonly string[]): string {
  return path.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** An expression that can be read, and not be applied. */
export function unusable(reason: string): SteppeError {
  return new SteppeError("invalid", `failed to read result page: ${reason}`);
}
