import { quote, type Service, SteppeError } from "@steppe/model";
import type { Variable, VariableMetadata, VariablesDefinition } from "@steppe/proto";
import { variableKey } from "@steppe/state";
import { VARIABLES } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, namespaceOf, type Reader } from "./read.ts";
import type { Writer } from "./write.ts";

const VALID_PATH = /^[a-zA-Z0-9-_~/]{1,128}$/;
/** Of keys and values together. */
const BYTES_MAX = 65_536;

/** Variables of this region. */
export function createVariables(reader: Reader, writer: Writer): Service<VariablesDefinition> {
  return {
    async get({ Query, Path }, call) {
      const key = { kind: "variable", id: variableKey(namespaceOf(Query), Path) } as const;
      const { value, meta } = await reader.read(Query, call, key, (view) => {
        const variable = view.variables.get(namespaceOf(Query), Path);
        return {
          changedAt: variable?.ModifyIndex ?? view.indexes.deletedAt("variables"),
          index: variable?.ModifyIndex ?? view.indexes.changedAt("variables"),
          value: variable,
        };
      });
      return { Variable: value, Meta: meta };
    },

    async list({ Query: query }, call) {
      const wanted = inNamespace(query);
      const page = createPager(query, VARIABLES);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "variables" }, (view) => {
        const index = view.indexes.changedAt("variables");
        const found = page(
          view.variables.byKey.values(),
          (it) => wanted(it.Namespace) && it.Path.startsWith(query?.Prefix ?? ""),
        );
        return { changedAt: index, index, value: found };
      });
      return { Variables: value.items.map(withoutItems), Meta: { ...meta, NextToken: value.next } };
    },

    async write({ Write, Variable: given, Delete, CheckIndex, ModifyIndex }, call) {
      if (given === undefined) throw new SteppeError("invalid", "variable must be specified");
      const variable = { ...given, Namespace: given.Namespace || namespaceOf(Write) };
      if (!Delete) validate(variable);
      else checkPath(variable.Path);
      const value = { Variable: variable, Delete, CheckIndex, ModifyIndex };
      const { Index, Conflict } = await writer.write(Write, call, { $case: "WriteVariable", value });
      const stored = reader.view.variables.get(variable.Namespace, variable.Path);
      if (Conflict) return { Variable: stored ?? { ...variable, Items: {} }, Conflict, Index };
      // Another write may have followed already: this one's answer is about this one.
      const { CreateIndex, CreateTime, ModifyTime } = stored ?? variable;
      return { Variable: { ...variable, CreateIndex, CreateTime, ModifyTime, ModifyIndex: Index }, Conflict, Index };
    },
  };
}

function withoutItems({ Items: _items, ...metadata }: Variable): VariableMetadata {
  return metadata;
}

function validate({ Path, Items }: Variable): void {
  checkPath(Path);
  const bytes = Object.entries(Items).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  if (bytes === 0) throw new SteppeError("refused", "empty variables are invalid");
  if (bytes > BYTES_MAX) throw new SteppeError("refused", "variables are limited to 64KiB in total size");
}

function checkPath(path: string): void {
  if (path === "") throw new SteppeError("refused", "variable requires path");
  if (!VALID_PATH.test(path)) throw new SteppeError("refused", `invalid path ${quote(path)}`);
  const [root, section] = path.split("/");
  if (root !== "nomad") return;
  if (section === undefined || section === "") {
    throw new SteppeError(
      "refused",
      `${quote(path)} is a reserved top-level directory path, but you may write variables at "nomad/jobs", "nomad/job-templates", or below`,
    );
  }
  if (section === "jobs" || section === "job-templates") return;
  throw new SteppeError(
    "refused",
    `only paths at "nomad/jobs" or "nomad/job-templates" and below are valid paths under the top-level directory "nomad"`,
  );
}
