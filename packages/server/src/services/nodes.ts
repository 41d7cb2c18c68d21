import { NODE_ELIGIBILITIES, type NodeEligibility, quote, type Service, SteppeError } from "@steppe/model";
import type { Node, NodeListStub, NodesDefinition, NodeWriteResponse, Outcome } from "@steppe/proto";
import { NODES } from "./listings.ts";
import { createPager } from "./paging.ts";
import type { Reader } from "./read.ts";
import { fullAllocation, nodeStub, shownNode } from "./stubs.ts";
import type { Writer } from "./write.ts";

/** Nodes of this region. */
export function createNodes(reader: Reader, writer: Writer): Service<NodesDefinition> {
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

    async list({ Query: query, Resources, OS }, call) {
      const page = createPager(query, NODES);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "nodes" }, (view) => {
        const index = view.indexes.changedAt("nodes");
        const known = view.nodes.nodes.filter((node) => node !== undefined);
        const found = page(known, (node) => node.ID.startsWith(query?.Prefix ?? ""));
        return { changedAt: index, index, value: found };
      });
      return {
        Nodes: value.items.map((node) => ({ ...nodeStub(node), ...asked(node, Resources, OS) })),
        Meta: { ...meta, NextToken: value.next },
      };
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

    async drain({ Write, NodeID, DrainSpec, MarkEligible, Meta }, call) {
      if (NodeID === "") throw new SteppeError("refused", "missing node ID for drain update");
      const value = { NodeID, DrainSpec, MarkEligible, Meta };
      return written(await writer.write(Write, call, { $case: "UpdateNodeDrain", value }));
    },

    async eligibility({ Write, NodeID, Eligibility }, call) {
      if (NodeID === "") throw new SteppeError("refused", "missing node ID for setting scheduling eligibility");
      if (!NODE_ELIGIBILITIES.includes(Eligibility as NodeEligibility)) {
        throw new SteppeError("refused", `invalid scheduling eligibility ${quote(Eligibility)}`);
      }
      const value = { NodeID, Eligibility };
      return written(await writer.write(Write, call, { $case: "UpdateNodeEligibility", value }));
    },

    async evaluate({ Write, NodeID }, call) {
      if (NodeID === "") throw new SteppeError("refused", "missing node ID for evaluation");
      return written(await writer.write(Write, call, { $case: "EvaluateNode", value: { NodeID } }));
    },

    async purge({ Write, NodeID }, call) {
      if (NodeID === "") throw new SteppeError("refused", "missing node IDs for client deregistration");
      return written(await writer.write(Write, call, { $case: "DeregisterNodes", value: { NodeIDs: [NodeID] } }));
    },
  };
}

/** What lists leave out unless it is asked for. */
function asked(node: Node, resources: boolean, os: boolean): Partial<NodeListStub> {
  const name = node.Attributes["os.name"];
  return {
    ...(resources && { NodeResources: node.NodeResources, ReservedResources: node.ReservedResources }),
    ...(os && name !== undefined && { Attributes: { "os.name": name } }),
  };
}

function written({ EvalIDs, EvalCreateIndex, Index }: Outcome): NodeWriteResponse {
  return { EvalIDs, EvalCreateIndex, NodeModifyIndex: Index, Index };
}
