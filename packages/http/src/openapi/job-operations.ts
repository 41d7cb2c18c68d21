// Titles, bodies and answers of the routes below jobs, allocations, deployments, services and node agents.
import type { Operation } from "./operations.ts";

const TASK = { task: "Name of the task." };
const FILE = { path: "In the allocation's directory." };
const NODE = { node_id: "Of the node; the agent's own unless given." };

/** A route that any method asks alike. */
function byAny(path: string, operation: Operation): Record<string, Operation> {
  return Object.fromEntries(["GET", "PUT", "POST", "DELETE"].map((method) => [`${method} ${path}`, operation]));
}

export const JOB_OPERATIONS: Readonly<Record<string, Operation>> = {
  "PUT /v1/jobs/parse": {
    summary: "Turn a job file (HCL, or HCL's JSON syntax) into a job",
    body: "JobsParseRequest",
    answer: "Job",
  },
  "GET /v1/jobs/statuses": {
    summary: "List jobs as dashboards show them",
    params: { include_children: "Children too." },
  },
  "POST /v1/jobs/statuses": { summary: "The same of the jobs that the body names" },
  "PUT /v1/validate/job": { summary: "Tell what is wrong with a job", body: "JobRegisterRequest" },
  "PUT /v1/job/{id}/dispatch": {
    summary: "Launch a parameterized job",
    body: "JobDispatchRequest",
    params: { idempotency_token: "A repeat with the same one launches nothing." },
  },
  "PUT /v1/job/{id}/dispatch/payload": { summary: "Launch a parameterized job, with the body as its payload" },
  "GET /v1/job/{id}/scale": { summary: "Counts and scaling events of a job's groups" },
  "PUT /v1/job/{id}/scale": { summary: "Set a group's count, or note why it was not set", body: "JobScaleRequest" },
  "GET /v1/job/{id}/services": { summary: "List a job's services", answer: "ServiceRegistration", list: true },
  "GET /v1/job/{id}/submission": {
    summary: "The text that a version was made from",
    answer: "JobSubmission",
    params: { version: "Of the job; required." },
  },
  "GET /v1/job/{id}/actions": { summary: "List the commands that a job gives names", answer: "JobAction", list: true },
  "GET /v1/job/{id}/action": {
    summary: "Run such a command in a task, by websocket; messages as those of exec",
    params: {
      action: "Its name.",
      ...TASK,
      group: "Of the allocation, where none is named.",
      allocID: "The allocation; any that runs unless given.",
      tty: "Give the command a terminal.",
      ws_handshake: "The first message is the token.",
    },
  },
  "PUT /v1/job/{id}/tag": { summary: "Give a version a name: /v1/job/<id>/versions/<name>/tag", body: "JobTagRequest" },
  "DELETE /v1/job/{id}/tag": { summary: "Take a version's name away" },
  "GET /v1/evaluations/count": { summary: "Count evaluations" },
  "DELETE /v1/evaluations": { summary: "Forget evaluations, while the broker is paused" },
  "PUT /v1/allocation/{id}/stop": {
    summary: "Stop an allocation, which is replaced elsewhere",
    params: { no_shutdown_delay: "Do not wait for the shutdown delay." },
  },
  "GET /v1/allocation/{id}/services": {
    summary: "List an allocation's services",
    answer: "ServiceRegistration",
    list: true,
  },
  "GET /v1/allocation/{id}/checks": { summary: "What the checks of an allocation's services answered last, by ID" },
  "GET /v1/deployment/allocations/{id}": {
    summary: "List a deployment's allocations",
    answer: "AllocListStub",
    list: true,
  },
  "PUT /v1/deployment/fail/{id}": { summary: "Fail a deployment" },
  "PUT /v1/deployment/pause/{id}": { summary: "Pause a deployment, or go on", body: "DeploymentPauseRequest" },
  "PUT /v1/deployment/promote/{id}": { summary: "Promote canaries", body: "DeploymentPromoteRequest" },
  "PUT /v1/deployment/unblock/{id}": { summary: "Let a region's deployment go on" },
  "PUT /v1/deployment/allocation-health/{id}": {
    summary: "Say which allocations are healthy",
    body: "DeploymentAllocHealthRequest",
  },
  "GET /v1/scaling/policies": {
    summary: "List scaling policies",
    answer: "ScalingPolicyListStub",
    list: true,
    params: { job: "Only of this job.", type: "Only of this type." },
  },
  "GET /v1/scaling/policy/{id}": { summary: "Read a scaling policy", answer: "ScalingPolicy" },
  "GET /v1/services": { summary: "List services by namespace" },
  "GET /v1/service/{id}": {
    summary: "List the registrations of a service",
    answer: "ServiceRegistration",
    list: true,
    params: { choose: "`<number>|<key>`: so many of them, the same for the same key." },
  },
  "DELETE /v1/service/{id}": { summary: "Take a registration away: /v1/service/<name>/<id>" },
  "GET /v1/namespaces": { summary: "List namespaces", answer: "Namespace", list: true },
  "PUT /v1/namespace": { summary: "Make or change a namespace", body: "Namespace" },
  "GET /v1/namespace/{id}": { summary: "Read a namespace", answer: "Namespace" },
  "PUT /v1/namespace/{id}": { summary: "Make or change the namespace of that name", body: "Namespace" },
  "DELETE /v1/namespace/{id}": { summary: "Delete a namespace that nothing in its region uses" },
  "GET /v1/node/pools": { summary: "List node pools", answer: "NodePool", list: true },
  "PUT /v1/node/pools": { summary: "Make or change a node pool", body: "NodePool" },
  "GET /v1/node/pool/{id}": { summary: "Read a node pool", answer: "NodePool" },
  "PUT /v1/node/pool/{id}": { summary: "Make or change the node pool of that name", body: "NodePool" },
  "DELETE /v1/node/pool/{id}": { summary: "Delete a node pool that nothing in its region uses" },
  "GET /v1/node/pool/{id}/nodes": { summary: "List a pool's nodes", answer: "NodeListStub", list: true },
  "GET /v1/node/pool/{id}/jobs": { summary: "List a pool's jobs", answer: "JobListStub", list: true },
  "PUT /v1/system/gc": { summary: "Collect garbage now" },
  "PUT /v1/system/reconcile/summaries": { summary: "Count allocations anew for all job summaries" },
  "GET /v1/client/fs/ls/{id}": { summary: "List a folder of an allocation", params: FILE },
  "GET /v1/client/fs/stat/{id}": { summary: "Describe a file of an allocation", params: FILE },
  "GET /v1/client/fs/cat/{id}": { summary: "Read a file of an allocation", params: FILE, type: "text/plain" },
  "GET /v1/client/fs/readat/{id}": {
    summary: "Read part of a file",
    params: { ...FILE, offset: "First byte.", limit: "Number of bytes." },
    type: "text/plain",
  },
  "GET /v1/client/fs/stream/{id}": {
    summary: "Follow a file, in frames",
    params: { ...FILE, offset: "Bytes.", origin: "`start` or `end`.", follow: "Go on at its end." },
  },
  "GET /v1/client/fs/logs/{id}": {
    summary: "Follow a task's output",
    params: {
      ...TASK,
      type: "`stdout` or `stderr`.",
      ...{ offset: "Bytes.", origin: "`start` or `end`.", follow: "Go on at its end.", plain: "Text, no frames." },
    },
  },
  ...byAny("/v1/client/stats", { summary: "Usage of a node", params: NODE }),
  ...byAny("/v1/client/gc", { summary: "Remove files of allocations that have ended on a node", params: NODE }),
  "GET /v1/client/metadata": { summary: "Metadata of a node", params: NODE },
  "PUT /v1/client/metadata": { summary: "Set metadata of a node while it runs", params: NODE },
  ...byAny("/v1/client/allocation/{id}/stats", { summary: "Usage of an allocation", params: TASK }),
  "GET /v1/client/allocation/{id}/checks": { summary: "What the checks of its services answered last, by ID" },
  ...byAny("/v1/client/allocation/{id}/restart", { summary: "Restart tasks: `TaskName`, or `AllTasks`" }),
  "PUT /v1/client/allocation/{id}/signal": { summary: "Send a task a signal: `Signal` and `Task`" },
  ...byAny("/v1/client/allocation/{id}/gc", { summary: "Remove the files of an allocation that has ended" }),
  "GET /v1/client/allocation/{id}/exec": {
    summary: "Run a command in a task, by websocket",
    params: {
      ...TASK,
      command: "A list of words, in JSON.",
      tty: "Give it a terminal.",
      ws_handshake: "The first message is the token.",
    },
  },
  ...byAny("/v1/client/allocation/{id}", { summary: "Not found: what is asked for stands behind the ID" }),
  "GET /v1/client/allocation/{id}/pause": { summary: "Of the paid edition: refused", params: TASK },
  "PUT /v1/client/allocation/{id}/pause": { summary: "Of the paid edition: refused" },
};
