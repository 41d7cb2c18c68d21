import type { Variable } from "@steppe/proto";
import { variableKey } from "../changes.ts";

/** Variables by namespace and path. Objects are never changed in place. */
export class VariableTable {
  readonly byKey: Map<string, Variable> = new Map();

  get(namespace: string, path: string): Variable | undefined {
    return this.byKey.get(variableKey(namespace, path));
  }

  put(variable: Variable): void {
    this.byKey.set(variableKey(variable.Namespace, variable.Path), variable);
  }

  remove({ Namespace, Path }: Variable): void {
    this.byKey.delete(variableKey(Namespace, Path));
  }
}
