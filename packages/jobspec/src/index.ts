export type {
  Attribute,
  BinaryOperator,
  Block,
  Body,
  Expression,
  ForExpression,
  ObjectEntry,
  Operation,
  Step,
  TemplatePart,
} from "./hcl/ast.ts";
export type { Dialect } from "./hcl/cursor.ts";
export { EMPTY_SCOPE, evaluate, type Scope } from "./hcl/evaluate.ts";
export { type HclFunction, PURE_FUNCTIONS } from "./hcl/functions.ts";
export { bodyOfObject, type ParseOptions, parseHcl, parseHclExpression } from "./hcl/parse.ts";
export { BodyReader, type NamedPlace, type ReadBlock } from "./hcl/reader.ts";
export {
  errorAt,
  formatPlace,
  type LineAndColumn,
  locate,
  type Place,
  PlacedError,
  type Source,
} from "./hcl/source.ts";
export type { Value } from "./hcl/value.ts";
export { type JobSource, parseJob } from "./job/parse-job.ts";
