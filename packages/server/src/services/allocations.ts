import type { Service } from "@steppe/model";
import type { AllocationsDefinition } from "@steppe/proto";
import { allocationsListing } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";
import { AllocationRow, fullAllocation } from "./stubs.ts";
import type { Writer } from "./write.ts";

/** Allocations of this region. */
export function createAllocations(reader: Reader, writer: Writer): Service<AllocationsDefinition> {
  return {
    async get(request, call) {
      const key = { kind: "allocation", id: request.AllocID } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const allocation = view.allocations.get(request.AllocID);
        return {
          changedAt: allocation?.ModifyIndex ?? view.indexes.deletedAt("allocations"),
          index: allocation?.ModifyIndex ?? view.indexes.changedAt("allocations"),
          value: allocation && fullAllocation(view, allocation),
        };
      });
      return { Allocation: value, Meta: meta };
    },

    async list({ Query: query, Resources, OmitTaskStates }, call) {
      const wanted = inNamespace(query);
      const page = createPager(query, allocationsListing(reader.view, query));
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "allocations" }, (view) => {
        const index = view.indexes.changedAt("allocations");
        const { items, next } = page(
          view.allocations.byId.values(),
          (it) => wanted(it.Namespace) && it.ID.startsWith(query?.Prefix ?? ""),
        );
        const shown = { resources: Resources, tasks: !OmitTaskStates };
        const rows = items.map((it) => new AllocationRow(view, it, shown));
        return { changedAt: index, index, value: { rows, next } };
      });
      return { Allocations: value.rows, Meta: { ...meta, NextToken: value.next } };
    },

    async stop({ Write, AllocID, NoShutdownDelay }, call) {
      const value = { AllocID, NoShutdownDelay };
      const { EvalID, Index } = await writer.write(Write, call, { $case: "StopAllocation", value });
      return { EvalID, Index };
    },
  };
}
