import { type Service, SteppeError } from "@steppe/model";
import type { DeploymentsDefinition, DeploymentUpdateResponse, Outcome } from "@steppe/proto";
import type { JobDeploymentsView, StateView } from "@steppe/state";
import { deploymentsListing } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";
import { AllocationRow } from "./stubs.ts";
import type { Writer } from "./write.ts";

/** Deployments of this region. */
export function createDeployments(reader: Reader, writer: Writer): Service<DeploymentsDefinition> {
  return {
    async get(request, call) {
      const key = { kind: "deployment", id: idOf(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const deployment = view.deployments.get(request.DeploymentID)?.deployment;
        return {
          changedAt: deployment?.ModifyIndex ?? view.indexes.deletedAt("deployments"),
          index: deployment?.ModifyIndex ?? view.indexes.changedAt("deployments"),
          value: deployment,
        };
      });
      return { Deployment: value, Meta: meta };
    },

    async list({ Query: query }, call) {
      const wanted = inNamespace(query);
      const page = createPager(query, deploymentsListing(query));
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "deployments" }, (view) => {
        const index = view.indexes.changedAt("deployments");
        const all = [...view.deployments.byId.values()].map(({ deployment }) => deployment);
        const found = page(all, (it) => wanted(it.Namespace) && it.ID.startsWith(query?.Prefix ?? ""));
        return { changedAt: index, index, value: found };
      });
      return { Deployments: value.items, Meta: { ...meta, NextToken: value.next } };
    },

    async allocations(request, call) {
      const key = { kind: "deployment-allocations", id: idOf(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const entry = view.deployments.get(request.DeploymentID);
        const allocations = [...(entry?.allocations ?? [])];
        const changedAt = allocations.reduce(
          (latest, it) => Math.max(latest, it.ModifyIndex),
          view.indexes.deletedAt("allocations"),
        );
        return {
          changedAt,
          index: Math.max(changedAt, entry?.deployment.CreateIndex ?? view.indexes.changedAt("deployments")),
          value: allocations.map((allocation) => new AllocationRow(view, allocation)),
        };
      });
      return { Allocations: value, Meta: meta };
    },

    async promote(request, call) {
      const { All, Groups } = request;
      const value = { Term: 0, DeploymentID: idOf(request), All, Groups };
      return reply(await writer.write(request.Write, call, { $case: "PromoteDeployment", value }));
    },

    async pause(request, call) {
      const value = { DeploymentID: idOf(request), Pause: request.Pause };
      return reply(await writer.write(request.Write, call, { $case: "PauseDeployment", value }));
    },

    async fail(request, call) {
      const value = { Term: 0, DeploymentID: idOf(request), StatusDescription: "", Rollback: false };
      return reply(await writer.write(request.Write, call, { $case: "FailDeployment", value }));
    },

    async unblock(request, call) {
      const value = { DeploymentID: idOf(request) };
      return reply(await writer.write(request.Write, call, { $case: "UnblockDeployment", value }));
    },

    async setAllocHealth(request, call) {
      const { HealthyAllocationIDs, UnhealthyAllocationIDs } = request;
      const value = { DeploymentID: idOf(request), HealthyAllocationIDs, UnhealthyAllocationIDs };
      if (HealthyAllocationIDs.length + UnhealthyAllocationIDs.length === 0) {
        throw new SteppeError("refused", "must specify at least one healthy/unhealthy allocation ID");
      }
      return reply(await writer.write(request.Write, call, { $case: "SetAllocationHealth", value }));
    },
  };
}

/** What a read of a job's deployments waits for, and tells as its index. */
export function changeOfDeployments(
  { indexes }: StateView,
  deployments: JobDeploymentsView | undefined,
): { changedAt: number; index: number } {
  return {
    changedAt: deployments?.index ?? indexes.deletedAt("deployments"),
    index: deployments?.index ?? indexes.changedAt("deployments"),
  };
}

function idOf({ DeploymentID }: { readonly DeploymentID: string }): string {
  if (DeploymentID === "") throw new SteppeError("refused", "missing deployment ID");
  return DeploymentID;
}

function reply(outcome: Outcome): DeploymentUpdateResponse {
  const { EvalID, EvalCreateIndex, DeploymentModifyIndex, RevertedJobVersion, Index } = outcome;
  return { EvalID, EvalCreateIndex, DeploymentModifyIndex, RevertedJobVersion, Index };
}
