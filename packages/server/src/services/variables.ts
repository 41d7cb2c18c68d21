import { quote, type Service, SteppeError } from "@steppe/model";
import type { Variable, VariableLock, VariableMetadata, VariablesDefinition } from "@steppe/proto";
import { variableKey } from "@steppe/state";
import { VARIABLES } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, namespaceOf, type Reader } from "./read.ts";
import type { Writer } from "./write.ts";

const VALID_PATH = /^[a-zA-Z0-9-_~/]{1,128}$/;
/** Where a lock does not say, as documented by the peer; nanoseconds. */
const LOCK_TTL = 15e9;
const LOCK_DELAY = 15e9;
const LOCK_TTL_MIN = 10e9;
const LOCK_TTL_MAX = 86_400e9;
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
          // Whoever may read it need not be the holder of its lock.
          value: variable?.Lock === undefined ? variable : { ...variable, Lock: { ...variable.Lock, ID: "" } },
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
      if (Conflict) return { Variable: found(stored) ?? { ...variable, Items: {} }, Conflict, Index };
      // Another write may have followed already: this one's answer is about this one.
      const { CreateIndex, CreateTime, ModifyTime } = stored ?? variable;
      const now = { CreateIndex, CreateTime, ModifyTime, ModifyIndex: Index, Lock: stored?.Lock };
      return { Variable: { ...variable, ...now }, Conflict, Index };
    },

    async lock({ Write, Variable: given, Operation, CheckIndex, ModifyIndex }, call) {
      if (given?.Lock === undefined) throw new SteppeError("invalid", "missing lock information");
      const Lock = { ...given.Lock, TTL: given.Lock.TTL || LOCK_TTL, LockDelay: given.Lock.LockDelay || LOCK_DELAY };
      const variable = { ...given, Lock, Namespace: given.Namespace || namespaceOf(Write) };
      checkPath(variable.Path);
      checkSize(variable);
      if (Operation === "acquire") checkLock(Lock);
      else if (Lock.ID === "") throw new SteppeError("invalid", "missing lock ID");
      const value = { Variable: variable, Operation, CheckIndex, ModifyIndex };
      const { Index, Conflict } = await writer.write(Write, call, { $case: "LockVariable", value });
      const stored = reader.view.variables.get(variable.Namespace, variable.Path);
      return { Variable: Conflict ? found(stored) : stored, Conflict, Index };
    },
  };
}

/** The one there is: of one that somebody holds, neither items nor the ID of its lock. */
function found(stored: Variable | undefined): Variable | undefined {
  return stored?.Lock === undefined ? stored : { ...stored, Items: {}, Lock: { ...stored.Lock, ID: "" } };
}

/** Nor with what only the lock's holder knows. */
function withoutItems({ Items: _items, LockDelayUntil: _until, Lock, ...metadata }: Variable): VariableMetadata {
  return { ...metadata, Lock: Lock && { ...Lock, ID: "" } };
}

function validate(variable: Variable): void {
  const { Path, Items } = variable;
  checkPath(Path);
  if (Object.entries(Items).every(([key, value]) => key + value === "")) {
    throw new SteppeError("refused", "empty variables are invalid");
  }
  checkSize(variable);
}

function checkSize({ Items }: Variable): void {
  const bytes = Object.entries(Items).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  if (bytes > BYTES_MAX) throw new SteppeError("refused", "variables are limited to 64KiB in total size");
}

function checkLock({ TTL, LockDelay }: VariableLock): void {
  if (LockDelay < 0) throw new SteppeError("invalid", "lock delay must be positive");
  if (TTL >= LOCK_TTL_MIN && TTL <= LOCK_TTL_MAX) return;
  throw new SteppeError("invalid", "lock TTL must be between 10s and 24h0m0s");
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
