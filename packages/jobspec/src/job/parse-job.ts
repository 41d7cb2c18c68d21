import { SteppeError } from "@steppe/model";
import { EMPTY_SCOPE, type Scope } from "../hcl/evaluate.ts";
import { rationedYamlDecode } from "../hcl/functions/yaml.ts";
import { type HclFunction, PURE_FUNCTIONS } from "../hcl/functions.ts";
import { parseJobFile } from "../hcl/parse.ts";
import { withBlocksOf } from "../hcl/reader.ts";
import { errorAt } from "../hcl/source.ts";
import { job as jobSchema } from "./blocks/job.ts";
import { decodeBody } from "./decode.ts";
import { expandBlocks } from "./dynamic.ts";
import { withLocals } from "./locals.ts";
import type { Json } from "./schema.ts";
import { variableValues } from "./variables.ts";

export interface JobSource {
  readonly text: string;
  /** As errors show it; need not exist. */
  readonly filename: string;
  /** Assignments to the file's variables: the content of a variables file. */
  readonly variables?: string;
  /** Functions beside the pure ones, such as those that need a clock or random ids. */
  readonly functions?: ReadonlyMap<string, HclFunction>;
}

/**
 * The job of a job file, as JSON of the API with nothing filled in.
 * @throws SteppeError `invalid` with file, line and column of the first thing that is wrong
 */
export function parseJob({ text, filename, variables = "", functions }: JobSource): Json {
  const file = withBlocksOf(parseJobFile(text, filename), TOP_LEVEL);
  for (const { name, at } of file.attributes.values()) {
    throw errorAt(at, `an option named "${name}" is not expected here`);
  }
  for (const { type, at } of file.blocks) {
    if (!TOP_LEVEL.has(type)) throw errorAt(at, `blocks of type "${type}" are not expected here`);
  }
  const budget = { left: EVALUATED_MAX };
  const pure: Scope = {
    ...EMPTY_SCOPE,
    budget,
    functions: new Map([...PURE_FUNCTIONS, ["yamldecode", rationedYamlDecode()], ...NOT_HERE, ...(functions ?? [])]),
  };
  const values = variableValues(file, variables, pure);
  const scope = withLocals(file, { ...pure, variables: new Map([["var", values]]) });
  const blocks = expandBlocks(file, scope).filter(({ type }) => type === "job");
  const [first, second] = blocks;
  if (first === undefined) throw new SteppeError("invalid", `${filename}: "job" block not found`);
  if (second !== undefined) throw errorAt(second.at, 'only one "job" block is allowed');
  if (first.labels.length !== 1) throw errorAt(first.at, 'block "job" needs a label: job "name" { … }');
  return decodeBody(first.body, jobSchema(), first.scope, first.labels);
}

/** Expressions that one file may evaluate: half a second of work at most, which servers do between other things. */
const EVALUATED_MAX = 1_000_000;

/** Blocks of a file, with how many labels each has. */
const TOP_LEVEL: ReadonlyMap<string, number> = new Map([
  ...([
    ["job", 1],
    ["variable", 1],
    ["locals", 0],
    ["dynamic", 1],
  ] as const),
]);

/** Files of the machine that parses are none of a job's. */
const NOT_HERE: ReadonlyMap<string, HclFunction> = new Map(
  ["file", "filebase64", "fileescaped", "fileexists", "fileset", "abspath", "pathexpand", "templatefile"].map(
    (name) => [
      name,
      () => {
        throw new SteppeError(
          "invalid",
          "reads files, which parsing by the API does not; give the content as a variable",
        );
      },
    ],
  ),
);
