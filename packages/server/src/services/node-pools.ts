import { multiError, quote, type Service, SteppeError } from "@steppe/model";
import type { NodePool, NodePoolsDefinition } from "@steppe/proto";
import type { JobView } from "@steppe/state";
import { JobsInOrder } from "./jobs-in-order.ts";
import { JOBS, NODE_POOLS, NODES } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";
import { JobRow, nodeStub } from "./stubs.ts";
import type { Writer } from "./write.ts";

const VALID_NAME = /^[a-zA-Z0-9-_]{1,128}$/;
const DESCRIPTION_MAX = 256;
const ALGORITHMS: readonly string[] = ["", "binpack", "spread"];
const BUILT_IN: readonly string[] = ["all", "default"];

/** Node pools of this region. */
export function createNodePools(reader: Reader, writer: Writer, region: string): Service<NodePoolsDefinition> {
  const inOrder = new JobsInOrder();
  return {
    async get({ Query, Name }, call) {
      const { value, meta } = await reader.read(Query, call, { kind: "node-pool", id: Name }, (view) => {
        const pool = view.nodePools.get(Name);
        return {
          changedAt: pool?.ModifyIndex ?? view.indexes.deletedAt("node-pools"),
          index: pool?.ModifyIndex ?? view.indexes.changedAt("node-pools"),
          value: pool,
        };
      });
      return { NodePool: value, Meta: meta };
    },

    async list({ Query: query }, call) {
      const page = createPager(query, NODE_POOLS);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "node-pools" }, (view) => {
        const index = view.indexes.changedAt("node-pools");
        const found = page(view.nodePools.byName.values(), ({ Name }) => Name.startsWith(query?.Prefix ?? ""));
        return { changedAt: index, index, value: found };
      });
      return { NodePools: value.items, Meta: { ...meta, NextToken: value.next } };
    },

    async nodes({ Query: query, Name }, call) {
      const page = createPager(query, NODES);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "nodes" }, (view) => {
        const index = view.indexes.changedAt("nodes");
        const known = view.nodes.nodes.filter((node) => node !== undefined);
        const found = page(known, (node) => Name === "all" || (node.NodePool || "default") === Name);
        return { changedAt: index, index, value: found };
      });
      return { Nodes: value.items.map(nodeStub), Meta: { ...meta, NextToken: value.next } };
    },

    async jobs({ Query: query, Name }, call) {
      const wanted = inNamespace(query);
      const page = createPager(query, JOBS);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "summaries" }, (view) => {
        const index = Math.max(view.indexes.changedAt("jobs"), view.indexes.changedAt("summaries"));
        const isWanted = ({ job }: JobView) => job.NodePool === Name && wanted(job.Namespace);
        const { items, next } = page(inOrder.of(view), isWanted, "sorted");
        return { changedAt: index, index, value: { rows: items.map((job) => new JobRow(job, false)), next } };
      });
      return { Jobs: value.rows, Meta: { ...meta, NextToken: value.next } };
    },

    async upsert({ Write, NodePools }, call) {
      if (NodePools.length === 0) throw new SteppeError("invalid", "must specify at least one node pool");
      for (const pool of NodePools) validate(pool);
      const { Index } = await writer.write(Write, call, {
        $case: "UpsertNodePools",
        value: { NodePools, OnlyNew: false },
      });
      return { Index };
    },

    async delete({ Write, Names }, call) {
      if (Names.length === 0) throw new SteppeError("invalid", "must specify at least one node pool to delete");
      if (Names.includes("")) throw new SteppeError("invalid", "node pool name is empty");
      const value = { Names, Region: region };
      const { Index } = await writer.write(Write, call, { $case: "DeleteNodePools", value });
      return { Index };
    },
  };
}

function validate({ Name, Description, SchedulerConfiguration }: NodePool): void {
  const reasons: string[] = [];
  if (!VALID_NAME.test(Name)) reasons.push(`invalid name ${quote(Name)}, must match regex ${VALID_NAME.source}`);
  if (Buffer.byteLength(Description) > DESCRIPTION_MAX) reasons.push(`description longer than ${DESCRIPTION_MAX}`);
  const algorithm = SchedulerConfiguration?.SchedulerAlgorithm ?? "";
  if (!ALGORITHMS.includes(algorithm)) reasons.push(`invalid scheduler algorithm: ${algorithm}`);
  if (reasons.length > 0) throw new SteppeError("invalid", `invalid node pool ${quote(Name)}: ${multiError(reasons)}`);
  if (BUILT_IN.includes(Name)) throw new SteppeError("invalid", `modifying node pool ${quote(Name)} is not allowed`);
}
