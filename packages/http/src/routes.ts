import type { Resource } from "./resource.ts";
import { agentResources } from "./routes/agent.ts";
import { agentClusterResources } from "./routes/agent-cluster.ts";
import { agentDebugResources } from "./routes/agent-debug.ts";
import { agentSchedulerResources } from "./routes/agent-schedulers.ts";
import { allocationResources } from "./routes/allocations.ts";
import { autopilotResources } from "./routes/autopilot.ts";
import { clientResources } from "./routes/client.ts";
import { deploymentResources } from "./routes/deployments.ts";
import { evaluationResources } from "./routes/evaluations.ts";
import { eventResources } from "./routes/events.ts";
import { jobResource } from "./routes/job.ts";
import { jobStatusesResource } from "./routes/job-statuses.ts";
import { jobsResource } from "./routes/jobs.ts";
import { namespaceResources } from "./routes/namespaces.ts";
import { nodeResources } from "./routes/nodes.ts";
import { openApiResource } from "./routes/openapi.ts";
import { operatorResources } from "./routes/operator.ts";
import { identityResources, operatorResourcesWithoutBacking } from "./routes/operator-without-backing.ts";
import { parseJobResource } from "./routes/parse-job.ts";
import { raftResources } from "./routes/raft.ts";
import { scalingResources } from "./routes/scaling.ts";
import { searchResources } from "./routes/search.ts";
import { serviceResources } from "./routes/services.ts";
import { snapshotResources } from "./routes/snapshot.ts";
import { statusResources } from "./routes/status.ts";
import { systemResources } from "./routes/system.ts";
import { validateJobResource } from "./routes/validate-job.ts";
import { variableResources } from "./routes/variables.ts";
import { resourcesWithoutBacking } from "./routes/without-backing.ts";

/** Every route of the API. The app serves these, and the OpenAPI document describes them. */
export const ROUTES: readonly Resource[] = [
  jobResource,
  jobsResource,
  jobStatusesResource,
  parseJobResource,
  validateJobResource,
  ...deploymentResources,
  ...evaluationResources,
  ...eventResources,
  ...allocationResources,
  ...namespaceResources,
  ...variableResources,
  ...searchResources,
  ...systemResources,
  ...clientResources,
  ...resourcesWithoutBacking,
  ...nodeResources,
  ...operatorResources,
  ...snapshotResources,
  ...scalingResources,
  ...serviceResources,
  ...statusResources,
  ...agentResources,
  ...agentClusterResources,
  ...agentDebugResources,
  ...agentSchedulerResources,
  ...autopilotResources,
  ...raftResources,
  ...operatorResourcesWithoutBacking,
  ...identityResources,
  openApiResource(() => ROUTES),
];
