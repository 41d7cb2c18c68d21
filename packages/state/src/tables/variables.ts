import type { Variable } from "@steppe/proto";
import { variableKey } from "../changes.ts";

/** Variables by namespace and path. Objects are never changed in place. */
export class VariableTable {
  readonly byKey: Map<string, Variable> = new Map();

  /** Those that somebody holds. */
  readonly locked: Map<string, Variable> = new Map();

  get(namespace: string, path: string): Variable | undefined {
    return this.byKey.get(variableKey(namespace, path));
  }

  put(variable: Variable): void {
    const key = variableKey(variable.Namespace, variable.Path);
    this.byKey.set(key, variable);
    if (variable.Lock === undefined) this.locked.delete(key);
    else this.locked.set(key, variable);
  }

  remove({ Namespace, Path }: Variable): void {
    this.byKey.delete(variableKey(Namespace, Path));
    this.locked.delete(variableKey(Namespace, Path));
  }
}
