import type { Service } from "@steppe/model";
import type { NodesDefinition } from "@steppe/proto";
import { page, type Reader } from "./read.ts";
import { fullAllocation, nodeStub, shownNode } from "./stubs.ts";

/** Nodes of this region. */
export function createNodes(reader: Reader): Service<NodesDefinition> {
  return {
    async get(request, call) {
      const key = { kind: "node", id: request.NodeID } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const node = view.nodes.get(request.NodeID);
        return {
          changedAt: node?.ModifyIndex ?? view.indexes.deletedAt("nodes"),
          index: node?.ModifyIndex ?? view.indexes.changedAt("nodes"),
          value: node,
        };
      });
      return { Node: value && shownNode(value), Meta: meta };
    },

    async list({ Query: query }, call) {
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "nodes" }, (view) => {
        const index = view.indexes.changedAt("nodes");
        const nodes = view.nodes.nodes.filter((node) => node?.ID.startsWith(query?.Prefix ?? "") === true);
        const known = nodes.filter((node) => node !== undefined);
        return { changedAt: index, index, value: page(known, query, (node) => node.ID) };
      });
      return { Nodes: value.items.map(nodeStub), Meta: { ...meta, NextToken: value.next } };
    },

    async allocations(request, call) {
      const key = { kind: "node-allocations", id: request.NodeID } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const allocations = [...view.nodes.allocationsOf(request.NodeID)];
        const changedAt = allocations.reduce(
          (latest, it) => Math.max(latest, it.ModifyIndex),
          view.indexes.deletedAt("allocations"),
        );
        const node = view.nodes.get(request.NodeID);
        return {
          changedAt,
          index: Math.max(changedAt, node?.CreateIndex ?? view.indexes.changedAt("nodes")),
          value: allocations.map((allocation) => fullAllocation(view, allocation)),
        };
      });
      return { Allocations: value, Meta: meta };
    },
  };
}
