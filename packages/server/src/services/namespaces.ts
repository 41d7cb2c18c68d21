import { multiError, quote, type Service, SteppeError } from "@steppe/model";
import type { Namespace, NamespacesDefinition } from "@steppe/proto";
import { NAMESPACES } from "./listings.ts";
import { createPager } from "./paging.ts";
import type { Reader } from "./read.ts";
import type { Writer } from "./write.ts";

const VALID_NAME = /^[a-zA-Z0-9-]{1,128}$/;
const DESCRIPTION_MAX = 256;

/** Namespaces of this region. */
export function createNamespaces(reader: Reader, writer: Writer, region: string): Service<NamespacesDefinition> {
  return {
    async get({ Query, Name }, call) {
      const { value, meta } = await reader.read(Query, call, { kind: "namespace", id: Name }, (view) => {
        const namespace = view.namespaces.get(Name);
        return {
          changedAt: namespace?.ModifyIndex ?? view.indexes.deletedAt("namespaces"),
          index: namespace?.ModifyIndex ?? view.indexes.changedAt("namespaces"),
          value: namespace,
        };
      });
      return { Namespace: value, Meta: meta };
    },

    async list({ Query: query }, call) {
      const page = createPager(query, NAMESPACES);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "namespaces" }, (view) => {
        const index = view.indexes.changedAt("namespaces");
        const found = page(view.namespaces.byName.values(), ({ Name }) => Name.startsWith(query?.Prefix ?? ""));
        return { changedAt: index, index, value: found };
      });
      return { Namespaces: value.items, Meta: { ...meta, NextToken: value.next } };
    },

    async upsert({ Write, Namespaces }, call) {
      if (Namespaces.length === 0) throw new SteppeError("refused", "must specify at least one namespace");
      for (const namespace of Namespaces) validate(namespace);
      const { Index } = await writer.write(Write, call, { $case: "UpsertNamespaces", value: { Namespaces } });
      return { Index };
    },

    async delete({ Write, Names }, call) {
      if (Names.length === 0) throw new SteppeError("refused", "must specify at least one namespace to delete");
      const value = { Names, Region: region };
      const { Index } = await writer.write(Write, call, { $case: "DeleteNamespaces", value });
      return { Index };
    },
  };
}

function validate({ Name, Description }: Namespace): void {
  const reasons: string[] = [];
  if (!VALID_NAME.test(Name)) reasons.push(`invalid name ${quote(Name)}. Must match regex ${VALID_NAME.source}`);
  if (Buffer.byteLength(Description) > DESCRIPTION_MAX) reasons.push(`description longer than ${DESCRIPTION_MAX}`);
  if (reasons.length > 0) {
    throw new SteppeError("refused", `Invalid namespace ${quote(Name)}: ${multiError(reasons)}`);
  }
}
