import type { TableName } from "../changes.ts";

/** Per table: the index of the last change, and of the last deletion from it. */
export class TableIndexes {
  readonly last: Map<TableName, number> = new Map();
  readonly deleted: Map<TableName, number> = new Map();

  changedAt(table: TableName): number {
    return this.last.get(table) ?? 0;
  }

  /** A key that is absent cannot have changed later than the last deletion. */
  deletedAt(table: TableName): number {
    return this.deleted.get(table) ?? 0;
  }

  change(table: TableName, index: number): void {
    this.last.set(table, index);
  }

  delete(table: TableName, index: number): void {
    this.last.set(table, index);
    this.deleted.set(table, index);
  }
}
