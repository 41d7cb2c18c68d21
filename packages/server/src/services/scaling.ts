import { deriveId, type Service } from "@steppe/model";
import type { Job, ScalingDefinition, ScalingPolicy } from "@steppe/proto";
import type { StateView } from "@steppe/state";
import { SCALING_POLICIES } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";

/**
 * Scaling policies of this region: those that its jobs' groups have. A policy is no object of its own;
 * its ID follows from its group, so that it stays while the job changes.
 */
export function createScaling(reader: Reader): Service<ScalingDefinition> {
  return {
    async list({ Query: query, Job, Type }, call) {
      const wanted = inNamespace(query);
      const page = createPager(query, SCALING_POLICIES);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "jobs" }, (view) => {
        const index = view.indexes.changedAt("jobs");
        const found = page(
          policiesOf(view),
          (it) =>
            wanted(it.Namespace) &&
            it.ID.startsWith(query?.Prefix ?? "") &&
            (Job === "" || it.Target.Job === Job) &&
            (Type === "" || it.Type === Type),
        );
        return { changedAt: index, index, value: found };
      });
      const Policies = value.items.map(({ ID, Enabled = true, Type, Target, CreateIndex, ModifyIndex }) => {
        return { ID, Enabled, Type, Target, CreateIndex, ModifyIndex };
      });
      return { Policies, Meta: { ...meta, NextToken: value.next } };
    },

    async get(request, call) {
      const { value, meta } = await reader.read(request.Query, call, { kind: "table", id: "jobs" }, (view) => {
        const policy = [...policiesOf(view)].find(({ ID }) => ID === request.ID);
        return {
          changedAt: policy?.ModifyIndex ?? view.indexes.deletedAt("jobs"),
          index: policy?.ModifyIndex ?? view.indexes.changedAt("jobs"),
          value: policy,
        };
      });
      return { Policy: value, Meta: meta };
    },
  };
}

/** Of all jobs, those stopped included. */
export function* policiesOf(view: StateView): Generator<ScalingPolicy> {
  for (const { job } of view.jobs.byKey.values()) {
    for (const group of job.TaskGroups) {
      if (group.Scaling !== undefined) yield policyOf(job, group.Name, group.Scaling);
    }
  }
}

/** A stopped job is not to be scaled. */
function policyOf(job: Job, Group: string, scaling: ScalingPolicy): ScalingPolicy {
  const { Namespace, ID: Job } = job;
  return {
    ...scaling,
    ID: policyId([Namespace, Job, Group]),
    Namespace,
    Type: scaling.Type || "horizontal",
    Target: { Namespace, Job, Group },
    Min: scaling.Min ?? job.TaskGroups.find(({ Name }) => Name === Group)?.Count ?? 1,
    Enabled: !job.Stop && scaling.Enabled !== false,
    CreateIndex: job.CreateIndex,
    ModifyIndex: job.JobModifyIndex,
  };
}

/** Four lanes of FNV-1a, mixed as every other id is. */
function policyId(target: readonly string[]): string {
  const seed = new Uint8Array(16);
  const view = new DataView(seed.buffer);
  for (let lane = 0; lane < 4; lane++) {
    let hash = 0x811c9dc5 ^ lane;
    for (const byte of new TextEncoder().encode(target.join("\0"))) hash = Math.imul(hash ^ byte, 0x01000193);
    view.setUint32(4 * lane, hash >>> 0);
  }
  return deriveId(seed, 0);
}
