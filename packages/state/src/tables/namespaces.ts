import { Namespace } from "@steppe/proto";

export const DEFAULT_NAMESPACE = "default";

/** Namespaces by name. Objects are never changed in place. */
export class NamespaceTable {
  readonly byName: Map<string, Namespace> = new Map([[DEFAULT_NAMESPACE, BUILT_IN]]);

  get(name: string): Namespace | undefined {
    return this.byName.get(name);
  }

  put(namespace: Namespace): void {
    this.byName.set(namespace.Name, namespace);
  }

  remove(name: string): void {
    this.byName.delete(name);
  }

  /** Those that a new table does not have. */
  changed(): Namespace[] {
    return [...this.byName.values()].filter((it) => it !== BUILT_IN);
  }
}

/** There before the first entry. */
const BUILT_IN: Namespace = Object.freeze({
  ...Namespace.create(),
  Name: DEFAULT_NAMESPACE,
  Description: "Default shared namespace",
  CreateIndex: 1,
  ModifyIndex: 1,
});
