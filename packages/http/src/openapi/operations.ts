// What is told of routes beside what the table of routes knows: titles, bodies, answers, parameters of their own.
import { JOB_OPERATIONS } from "./job-operations.ts";

export interface Operation {
  readonly summary: string;
  /** Message of the request's body. */
  readonly body?: string;
  /** Message of the answer, or of each item of a list. */
  readonly answer?: string;
  readonly list?: true;
  /** Beside those that all reads, lists or writes take: name to what it means. */
  readonly params?: Readonly<Record<string, string>>;
  /** Not JSON. */
  readonly type?: string;
}

/** By path; of a path with several methods the one given first is what a method without a line of its own has. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...JOB_OPERATIONS,
  "GET /v1/jobs": {
    summary: "List jobs",
    answer: "JobListStub",
    list: true,
    params: { meta: "Show the jobs' meta." },
  },
  "PUT /v1/jobs": { summary: "Register or update a job", body: "JobRegisterRequest" },
  "GET /v1/job/{id}": { summary: "Read a job", answer: "Job" },
  "PUT /v1/job/{id}": { summary: "Register or update the job of that ID", body: "JobRegisterRequest" },
  "DELETE /v1/job/{id}": {
    summary: "Stop a job",
    params: {
      purge: "Forget it as well.",
      global: "In every region.",
      eval_priority: "Priority of the evaluation.",
      no_shutdown_delay: "Do not wait for the groups' shutdown delay.",
    },
  },
  "PUT /v1/job/{id}/evaluate": { summary: "Evaluate a job anew", body: "JobEvaluateRequest" },
  "GET /v1/job/{id}/allocations": {
    summary: "List a job's allocations",
    answer: "AllocListStub",
    list: true,
    params: { all: "Also of earlier jobs of the same ID." },
  },
  "GET /v1/job/{id}/evaluations": { summary: "List a job's evaluations", answer: "Evaluation", list: true },
  "PUT /v1/job/{id}/periodic/force": { summary: "Launch a periodic job now" },
  "PUT /v1/job/{id}/plan": { summary: "Tell what a registration would do", body: "JobPlanRequest" },
  "GET /v1/job/{id}/summary": { summary: "Count a job's allocations by status", answer: "JobSummary" },
  "GET /v1/job/{id}/versions": { summary: "List a job's versions", params: { diffs: "With what changed." } },
  "PUT /v1/job/{id}/revert": { summary: "Go back to a version", body: "JobRevertRequest" },
  "PUT /v1/job/{id}/stable": { summary: "Mark a version stable", body: "JobStabilityRequest" },
  "GET /v1/job/{id}/deployments": { summary: "List a job's deployments", answer: "Deployment", list: true },
  "GET /v1/job/{id}/deployment": { summary: "Read a job's newest deployment", answer: "Deployment" },
  "GET /v1/evaluations": {
    summary: "List evaluations",
    answer: "Evaluation",
    list: true,
    params: { job: "Only of this job.", status: "Only of this status." },
  },
  "GET /v1/evaluation/{id}": { summary: "Read an evaluation", answer: "Evaluation" },
  "GET /v1/evaluation/{id}/allocations": {
    summary: "List what an evaluation placed",
    answer: "AllocListStub",
    list: true,
  },
  "GET /v1/allocations": { summary: "List allocations", answer: "AllocListStub", list: true },
  "GET /v1/allocation/{id}": { summary: "Read an allocation", answer: "Allocation" },
  "GET /v1/nodes": { summary: "List nodes", answer: "NodeListStub", list: true },
  "GET /v1/node/{id}": { summary: "Read a node", answer: "Node" },
  "GET /v1/node/{id}/allocations": { summary: "List a node's allocations", answer: "Allocation", list: true },
  "PUT /v1/node/{id}/drain": { summary: "Begin or end a drain", body: "NodeDrainRequest" },
  "PUT /v1/node/{id}/eligibility": {
    summary: "Say whether a node takes allocations",
    body: "NodeEligibilityRequest",
  },
  "PUT /v1/node/{id}/evaluate": { summary: "Evaluate the jobs that a node concerns" },
  "PUT /v1/node/{id}/purge": { summary: "Forget a node" },
  "GET /v1/deployments": { summary: "List deployments", answer: "Deployment", list: true },
  "GET /v1/deployment/{id}": { summary: "Read a deployment", answer: "Deployment" },
  "GET /v1/event/stream": {
    summary: "Follow what changes, a line of JSON for each entry of the log",
    params: { topic: "`Job`, `Job:web` or `*`; may be repeated." },
  },
  "GET /v1/agent/self": { summary: "Configuration, member and figures of this agent" },
  "GET /v1/agent/members": { summary: "Servers of all regions" },
  "GET /v1/agent/health": { summary: "Whether this agent is well", params: { type: "`server` or `client`." } },
  "PUT /v1/agent/join": { summary: "Join servers of other regions", params: { address: "`host:port`, repeated." } },
  "PUT /v1/agent/force-leave": {
    summary: "Say that a failed server has left",
    params: { node: "Its member name.", prune: "Do not even show it." },
  },
  "GET /v1/agent/monitor": {
    summary: "Follow this agent's log",
    params: {
      log_level: "TRACE to ERROR; INFO unless given.",
      log_json: "Lines of JSON.",
      plain: "Text in place of frames.",
      node_id: "Of the agent of this node.",
      server_id: "Of this server: its name, ID or `leader`.",
    },
  },
  "GET /v1/agent/pprof/{id}": {
    summary: "A profile of this process, where debugging is enabled: profile, heap, cmdline",
    params: { seconds: "How long to measure." },
  },
  "GET /v1/metrics": { summary: "Figures of this agent", params: { format: "`prometheus` for its text format." } },
  "GET /v1/regions": { summary: "Names of regions with a live server" },
  "GET /v1/status/leader": { summary: "gRPC address of the server that leads" },
  "GET /v1/status/peers": { summary: "gRPC addresses of the region's servers" },
  "GET /v1/operator/scheduler/configuration": { summary: "Read how a region schedules" },
  "PUT /v1/operator/scheduler/configuration": {
    summary: "Set how a region schedules",
    body: "SchedulerConfiguration",
    params: { cas: "Only where this is the ModifyIndex." },
  },
  "GET /v1/operator/raft/configuration": { summary: "Who keeps the region's log" },
  "PUT /v1/operator/raft/transfer-leadership": {
    summary: "Hand the lease over",
    params: { id: "Of the server that takes it.", address: "Its gRPC address." },
  },
  "GET /v1/operator/autopilot/health": { summary: "Whether the region's servers are well; 429 when not" },
  "GET /v1/agent/host": {
    summary: "The machine of an agent, where debugging is enabled",
    params: { node_id: "Of the agent of this node.", server_id: "Of this server." },
  },
  "GET /v1/operator/snapshot": { summary: "The region's state, as a file", type: "application/x-steppe-snapshot" },
  "PUT /v1/operator/snapshot": { summary: "Replace the region's state by a file's" },
  "PUT /v1/var/{id}": {
    summary: "Write a variable, or its lock",
    body: "Variable",
    params: {
      cas: "Only where this is the ModifyIndex.",
      "lock-acquire": "Hold the variable.",
      "lock-renew": "Go on holding it.",
      "lock-release": "Hold it no more.",
    },
  },
  "GET /v1/openapi.json": { summary: "This document" },
};
