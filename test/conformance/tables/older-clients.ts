import { RUNNING, registered, sleeperJob } from "../jobs.ts";
import type { Table } from "../row.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);

// What clients of 0.5 read, and what those of 2.0 read beyond that. A client that finds a field missing takes zero for it.
const JOB_05 = words(`
  Region ID ParentID Name Type Priority AllAtOnce Datacenters Constraints TaskGroups Update Periodic ParameterizedJob
  Payload Meta Status StatusDescription CreateIndex ModifyIndex JobModifyIndex`);
const JOB_20 = words(`
  Stop Namespace NodePool Affinities Spreads Multiregion Dispatched DispatchIdempotencyToken ConsulNamespace
  VaultNamespace NomadTokenID Stable Version SubmitTime UI VersionTag`);
const JOB_STUB = words(`
  ID ParentID Name Namespace Datacenters NodePool Type Priority Periodic ParameterizedJob Stop Status StatusDescription
  JobSummary CreateIndex ModifyIndex JobModifyIndex SubmitTime`);
const ALLOC_STUB_05 = words(`
  ID EvalID Name NodeID JobID TaskGroup DesiredStatus DesiredDescription ClientStatus ClientDescription TaskStates
  CreateIndex ModifyIndex CreateTime`);
const ALLOC_STUB_20 = words(`
  Namespace NodeName JobType JobVersion DesiredTransition DeploymentStatus FollowupEvalID NextAllocation
  RescheduleTracker PreemptedAllocations PreemptedByAllocation ModifyTime`);
const ALLOC_05 = words(`
  ID EvalID Name NodeID JobID Job TaskGroup Resources SharedResources TaskResources Metrics DesiredStatus
  DesiredDescription ClientStatus ClientDescription TaskStates PreviousAllocation CreateIndex ModifyIndex
  AllocModifyIndex CreateTime`);
const ALLOC_20 = words(`
  Namespace NodeName AllocatedResources DesiredTransition NextAllocation DeploymentID DeploymentStatus RescheduleTracker
  FollowupEvalID NetworkStatus PreemptedAllocations PreemptedByAllocation ModifyTime`);
const EVALUATION = words(`
  ID Priority Type TriggeredBy JobID JobModifyIndex Status CreateIndex ModifyIndex Namespace CreateTime ModifyTime`);
const NODE = words(`
  ID Datacenter Name HTTPAddr TLSEnabled Attributes Resources Reserved NodeResources ReservedResources Links Meta NodeClass
  NodePool ComputedClass Drain DrainStrategy SchedulingEligibility Status StatusDescription StatusUpdatedAt Events Drivers
  HostVolumes CreateIndex ModifyIndex`);
const NODE_STUB = words(`
  ID Address Datacenter Name NodeClass NodePool Version Drain SchedulingEligibility Status StatusDescription Drivers
  HostVolumes LastDrain CreateIndex ModifyIndex`);
const TASK_STATE = { State: "running", Failed: false, Restarts: 0 };

const running = [registered(sleeperJob()), RUNNING];

const table: Table = {
  subject: "fields that clients of 0.5 and of 2.0 read",
  rows: [
    { name: "a job", given: running, request: "GET /v1/job/$id", expect: { fields: [...JOB_05, ...JOB_20] } },
    { name: "a job in a list", given: running, request: "GET /v1/jobs?prefix=$id", expect: { fields: JOB_STUB } },
    {
      name: "an allocation in a list",
      given: running,
      request: "GET /v1/job/$id/allocations",
      expect: { fields: [...ALLOC_STUB_05, ...ALLOC_STUB_20], body: [{ TaskStates: { task: TASK_STATE } }] },
    },
    {
      name: "an allocation, its resources in the older form, too",
      given: running,
      request: "GET /v1/allocation/$alloc",
      expect: {
        fields: [...ALLOC_05, ...ALLOC_20],
        body: {
          TaskResources: { task: { CPU: 20, MemoryMB: 20, DiskMB: 0, IOPS: 0 } },
          SharedResources: { CPU: 0, MemoryMB: 0, DiskMB: 20 },
          AllocatedResources: { Tasks: { task: { Cpu: { CpuShares: 20 } } }, Shared: { DiskMB: 20 } },
        },
      },
    },
    {
      name: "an evaluation",
      given: running,
      request: "GET /v1/job/$id/evaluations",
      expect: { fields: EVALUATION },
    },
    { name: "a node", request: "GET /v1/node/$node", expect: { fields: NODE } },
    { name: "a node in a list", request: "GET /v1/nodes", expect: { fields: NODE_STUB } },
    {
      name: "a summary, by the group's name",
      given: running,
      request: "GET /v1/job/$id/summary",
      expect: {
        body: {
          JobID: "$id",
          Summary: { group: { Queued: 0, Complete: 0, Failed: 0, Running: 1, Starting: 0, Lost: 0 } },
        },
        fields: ["Children", "CreateIndex", "ModifyIndex", "Namespace"],
      },
    },
  ],
};

export default table;
