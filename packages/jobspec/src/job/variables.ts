import { SteppeError } from "@steppe/model";
import type { Body, Expression } from "../hcl/ast.ts";
import { evaluate, type Scope } from "../hcl/evaluate.ts";
import { parseHcl } from "../hcl/parse.ts";
import { BodyReader, type ReadBlock } from "../hcl/reader.ts";
import { errorAt, type Place, PlacedError } from "../hcl/source.ts";
import { toBool, toText, type Value } from "../hcl/value.ts";
import { type Convert, typeOf } from "./variable-type.ts";

/**
 * The values of a file's variables: of the given assignments (`name = value`, a variables file's
 * content), else their defaults. Assignments to variables that the file does not have are ignored, as
 * one variables file may serve several job files.
 * @throws SteppeError `invalid` for a variable without a value, or with one that its type or its
 *   validation refuses
 */
export function variableValues(file: Body, assignments: string, scope: Scope): { readonly [name: string]: Value } {
  const given = parseHcl(assignments, "variables.hcl");
  for (const block of given.blocks) throw errorAt(block.at, "a variables file has assignments only: name = value");
  const values = new Map<string, Value>();
  for (const block of new BodyReader(file).blocks("variable", 1)) {
    const name = block.labels[0] as string;
    if (values.has(name)) throw errorAt(block.at, `variable "${name}" is declared twice`);
    values.set(name, valueOfVariable(name, block, given.attributes.get(name)?.value, scope));
  }
  return Object.fromEntries(values);
}

function valueOfVariable(name: string, block: ReadBlock, given: Expression | undefined, scope: Scope): Value {
  const reader = new BodyReader(block.body);
  const type = reader.attribute("type")?.value;
  const fallback = reader.attribute("default")?.value;
  const nullable = reader.attribute("nullable")?.value;
  for (const option of ["description", "sensitive"]) reader.attribute(option);
  const validations = reader.blocks("validation");
  for (const { name, at } of reader.unknown()) throw errorAt(at, `"${name}" is not known in a variable block`);
  const source = given ?? fallback;
  if (source === undefined) {
    const how = "A used variable must be set or have a default value";
    throw errorAt(block.at, `Unset variable "${name}"; ${how}`);
  }
  const convert = type === undefined ? (value: Value) => value : typeOf(type, scope);
  const value = converted(name, evaluate(source, scope), convert, source.at);
  const mayBeNull = nullable === undefined || toBool(evaluate(nullable, scope));
  if (value === null && !mayBeNull) throw errorAt(source.at, `variable "${name}" must not be null`);
  for (const validation of validations) validate(name, value, validation, scope);
  return value;
}

function converted(name: string, value: Value, convert: Convert, at: Place): Value {
  try {
    return convert(value);
  } catch (cause) {
    if (!(cause instanceof SteppeError) || cause instanceof PlacedError) throw cause;
    throw errorAt(at, `Invalid value for variable "${name}": ${cause.message}`, { cause });
  }
}

function validate(name: string, value: Value, { body, at }: ReadBlock, scope: Scope): void {
  const reader = new BodyReader(body);
  const condition = reader.attribute("condition")?.value;
  const message = reader.attribute("error_message")?.value;
  if (condition === undefined || message === undefined) {
    throw errorAt(at, 'a validation needs "condition" and "error_message"');
  }
  const inner: Scope = { ...scope, variables: new Map([...scope.variables, ["var", { [name]: value }]]) };
  if (toBool(evaluate(condition, inner))) return;
  throw errorAt(condition.at, `Invalid value for variable "${name}": ${toText(evaluate(message, inner))}`);
}
