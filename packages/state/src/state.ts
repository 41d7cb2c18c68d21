import type {
  AutopilotConfiguration,
  Deployment,
  Evaluation,
  Job,
  JobSummary,
  Lease,
  Namespace,
  Node,
  NodePool,
  OwedCopies,
  SchedulerConfiguration,
  ServiceRegistration,
  Variable,
} from "@steppe/proto";
import { JobChildrenSummary } from "@steppe/proto";
import { jobKey, TABLES, type TableName, variableKey } from "./changes.ts";
import { defaultAutopilotConfiguration } from "./commands/autopilot-configuration.ts";
import { defaultSchedulerConfiguration } from "./commands/scheduler-configuration.ts";
import { Digest, DigestHistory } from "./digest.ts";
import { CHILD_BUCKETS, copySummary, countAs, groupSummary } from "./job-summary.ts";
import type { Step } from "./step.ts";
import { type AllocationState, AllocationTable, type Ask, groupOf } from "./tables/allocations.ts";
import { type DeploymentEntry, DeploymentTable } from "./tables/deployments.ts";
import { EvaluationTable } from "./tables/evaluations.ts";
import { Healths } from "./tables/healths.ts";
import { type JobState, JobTable } from "./tables/jobs.ts";
import { NamespaceTable } from "./tables/namespaces.ts";
import { NodePoolTable } from "./tables/node-pools.ts";
import { isUsable, NodeTable } from "./tables/nodes.ts";
import { OutcomeTable } from "./tables/outcomes.ts";
import { OwedCopiesTable } from "./tables/owed-copies.ts";
import { offersServices, servicesOf } from "./tables/registrations.ts";
import { ServiceTable, serviceKey } from "./tables/services.ts";
import { SharedParts } from "./tables/shared-parts.ts";
import { TableIndexes } from "./tables/table-indexes.ts";
import { TaskForms } from "./tables/task-forms.ts";
import { TextPool } from "./tables/text-pool.ts";
import { VariableTable } from "./tables/variables.ts";

/**
 * All of a region's state, and the writes that commands are made of. Each write keeps what hangs
 * together: indexes, counters, watch keys, the digest. Only commands call them, inside `apply`.
 */
export class State {
  /** Index and log time (unix nanoseconds) of the last applied entry. */
  index = 0;
  time = 0;
  lease: Lease | undefined = undefined;
  /** Never changed in place. */
  schedulerConfiguration: SchedulerConfiguration = defaultSchedulerConfiguration();
  /** Never changed in place. */
  autopilotConfiguration: AutopilotConfiguration = defaultAutopilotConfiguration();
  readonly digest: Digest = new Digest();
  readonly digests: DigestHistory = new DigestHistory();
  readonly indexes: TableIndexes = new TableIndexes();
  readonly jobs: JobTable = new JobTable();
  readonly evaluations: EvaluationTable = new EvaluationTable();
  readonly allocations: AllocationTable = new AllocationTable();
  readonly deployments: DeploymentTable = new DeploymentTable();
  readonly nodes: NodeTable = new NodeTable();
  readonly namespaces: NamespaceTable = new NamespaceTable();
  readonly nodePools: NodePoolTable = new NodePoolTable();
  readonly variables: VariableTable = new VariableTable();
  readonly services: ServiceTable = new ServiceTable();
  readonly owed: OwedCopiesTable = new OwedCopiesTable();
  readonly outcomes: OutcomeTable = new OutcomeTable();
  /** What makes the state small; nothing is told apart by them. */
  readonly taskForms: TaskForms = new TaskForms();
  readonly healths: Healths = new Healths();
  readonly texts: TextPool = new TextPool();
  readonly parts: SharedParts = new SharedParts(this.texts);

  /**
   * Goes on at a later index than that of the last entry: what was told of any table in between is no
   * longer so. For a state that takes the place of another, before anything is applied to it.
   */
  goOnAt(index: number): void {
    if (index === this.index) return;
    this.index = index;
    for (const table of TABLES) this.indexes.delete(table, index);
  }

  /** Records that an object was written. */
  touch(step: Step, table: TableName, id: string, word = 0): void {
    this.indexes.change(table, step.index);
    step.changes.tables.add(table);
    this.digest.text(id);
    this.digest.number(step.index);
    this.digest.number(word);
  }

  touchJob(step: Step, job: JobState): void {
    step.changes.jobs.add(job.key);
    // Lists show a job beside its summary, so they wait for one table.
    step.changes.tables.add("summaries");
    this.indexes.change("summaries", step.index);
    this.touch(step, "jobs", job.key, job.job.Version);
    this.digest.text(job.job.Status);
  }

  removeJob(step: Step, job: JobState): void {
    for (const allocation of job.allocations) this.removeAllocation(step, allocation);
    this.#removeDeployments(step, job);
    this.jobs.remove(job);
    step.changes.jobs.add(job.key);
    step.changes.removedJobs.set(job.key, job.job);
    step.changes.summaries.add(job.key);
    step.changes.jobAllocations.add(job.key);
    this.indexes.delete("jobs", step.index);
    this.indexes.delete("summaries", step.index);
    this.touch(step, "jobs", job.key);
  }

  putEvaluation(step: Step, evaluation: Evaluation): void {
    const key = jobKey(evaluation.Namespace, evaluation.JobID);
    this.parts.ofEvaluation(evaluation, this.jobs.byKey.get(key)?.job);
    this.evaluations.put(evaluation);
    step.changes.evaluations.set(evaluation.ID, evaluation);
    step.changes.jobEvaluations.add(key);
    this.touch(step, "evaluations", evaluation.ID);
    this.digest.text(evaluation.Status);
  }

  removeEvaluation(step: Step, evaluation: Evaluation): void {
    const { ID, Namespace, JobID } = evaluation;
    this.evaluations.remove(ID);
    const rest = this.evaluations.ofJob(Namespace, JobID);
    if (rest !== undefined) rest.index = step.index;
    step.changes.evaluations.delete(ID);
    step.changes.removedEvaluations.set(ID, evaluation);
    step.changes.jobEvaluations.add(`${Namespace}/${JobID}`);
    this.indexes.delete("evaluations", step.index);
    this.touch(step, "evaluations", ID);
  }

  putDeployment(step: Step, deployment: Deployment): DeploymentEntry {
    const changed = { ...deployment, ModifyIndex: step.index, ModifyTime: step.time };
    const key = jobKey(deployment.Namespace, deployment.JobID);
    this.parts.ofDeployment(changed, this.jobs.byKey.get(key)?.job);
    const entry = this.deployments.put(changed);
    step.changes.deployments.set(deployment.ID, entry.deployment);
    step.changes.jobDeployments.add(key);
    this.touch(step, "deployments", deployment.ID);
    this.digest.text(deployment.Status);
    return entry;
  }

  #removeDeployments(step: Step, job: JobState): void {
    const { Namespace, ID } = job.job;
    for (const entry of [...(this.deployments.ofJob(Namespace, ID)?.entries ?? [])]) this.removeDeployment(step, entry);
  }

  removeDeployment(step: Step, entry: DeploymentEntry): void {
    const { ID, Namespace, JobID } = entry.deployment;
    this.deployments.remove(entry);
    step.changes.deployments.set(ID, entry.deployment);
    step.changes.jobDeployments.add(`${Namespace}/${JobID}`);
    this.indexes.delete("deployments", step.index);
    this.touch(step, "deployments", ID);
  }

  /** `slot`: of its node. */
  addAllocation(step: Step, job: JobState, allocation: AllocationState, slot: number): void {
    this.allocations.add(allocation);
    this.deployments.get(allocation.DeploymentID)?.add(allocation);
    job.addAllocation(allocation);
    this.nodes.addAllocation(allocation, slot);
    this.#hold(job, allocation, slot);
    this.#count(step, job, allocation, 1);
    for (const port of allocation.Claims?.Ports ?? []) this.digest.number(port);
    for (const core of allocation.Claims?.Cores ?? []) this.digest.number(core);
    this.#allocationChanged(step, job, allocation, true);
  }

  /** Puts back an allocation of a snapshot, whose summary and indexes come with it. */
  restoreAllocation(job: JobState, allocation: AllocationState): void {
    this.allocations.add(allocation);
    this.deployments.get(allocation.DeploymentID)?.add(allocation);
    job.addAllocation(allocation);
    const slot = this.nodes.slot(allocation.NodeID);
    this.nodes.addAllocation(allocation, slot);
    this.#hold(job, allocation, slot);
  }

  /**
   * Changes an allocation and whatever follows: the name and resources it holds, the job's summary.
   * `byServer` says that its node agent has to hear of it.
   */
  changeAllocation(
    step: Step,
    allocation: AllocationState,
    byServer: boolean,
    change: (allocation: AllocationState) => void,
  ): void {
    const job = this.jobs.of(allocation.Job);
    const heldBefore = !allocation.terminal;
    const namedBefore = allocation.holdsName;
    const askBefore = allocation.Ask;
    const statusBefore = allocation.ClientStatus;
    const offeredBefore = this.#offered(allocation);
    change(allocation);
    allocation.modifiedAt(step.moment);
    if (byServer) allocation.AllocModifyIndex = step.index;
    if (heldBefore && allocation.terminal) this.#release(step, job, allocation, askBefore);
    else if (heldBefore && allocation.Ask !== askBefore) this.#askChanged(allocation, askBefore);
    if (job !== undefined && namedBefore !== allocation.holdsName) this.#name(job, allocation, namedBefore ? -1 : 1);
    if (job !== undefined) this.#countChange(step, job, allocation, statusBefore);
    this.#settleServices(step, allocation, offeredBefore);
    this.#allocationChanged(step, job, allocation, byServer);
  }

  #askChanged({ NodeID, Ask }: AllocationState, before: Ask): void {
    const slot = this.nodes.slot(NodeID);
    if (slot < 0) return;
    this.nodes.free(slot, before);
    this.nodes.take(slot, Ask);
  }

  /** The services that follow from an allocation as it is; undefined for one that can have none. */
  #offered(allocation: AllocationState): ReadonlyMap<string, ServiceRegistration> | undefined {
    const group = groupOf(allocation.Job, allocation.TaskGroup);
    if (group === undefined || !offersServices(group)) return undefined;
    return servicesOf(allocation, this.nodes.get(allocation.NodeID));
  }

  /**
   * Registers what an allocation newly offers and takes back what it no longer does. What it offers
   * all along stays as it is, so that one that a user took back does not return.
   */
  #settleServices(
    step: Step,
    allocation: AllocationState,
    before: ReadonlyMap<string, ServiceRegistration> = NO_SERVICES,
  ): void {
    const after = this.#offered(allocation) ?? NO_SERVICES;
    for (const [id, offered] of after) {
      if (same(offered, before.get(id))) continue;
      const CreateIndex = this.services.byId.get(id)?.CreateIndex ?? step.index;
      const registration = { ...offered, CreateIndex, ModifyIndex: step.index };
      this.services.put(registration);
      step.changes.registrations.set(id, registration);
      step.changes.removedRegistrations.delete(id);
      step.changes.services.add(serviceKey(offered.Namespace, offered.ServiceName));
      step.changes.tables.add("services");
      this.indexes.change("services", step.index);
    }
    for (const id of before.keys()) {
      const known = after.has(id) ? undefined : this.services.byId.get(id);
      if (known !== undefined) this.removeService(step, known);
    }
  }

  removeService(step: Step, registration: ServiceRegistration): void {
    this.services.remove(registration, step.index);
    step.changes.registrations.delete(registration.ID);
    step.changes.removedRegistrations.set(registration.ID, registration);
    step.changes.services.add(serviceKey(registration.Namespace, registration.ServiceName));
    step.changes.tables.add("services");
    this.indexes.delete("services", step.index);
  }

  /** `counted`: the job's summary goes on counting it. */
  removeAllocation(step: Step, allocation: AllocationState, counted?: "counted"): void {
    const job = this.jobs.get(allocation.Namespace, allocation.JobID);
    if (!allocation.terminal) this.#release(step, job, allocation, allocation.Ask);
    if (job !== undefined && allocation.holdsName) this.#name(job, allocation, -1);
    if (job !== undefined && counted === undefined) this.#count(step, job, allocation, -1);
    if (job !== undefined) {
      job.allocationsIndex = step.index;
      step.changes.jobAllocations.add(job.key);
    }
    for (const service of [...(this.services.byAllocation.get(allocation.ID)?.values() ?? [])]) {
      this.removeService(step, service);
    }
    this.allocations.remove(allocation);
    this.deployments.get(allocation.DeploymentID)?.delete(allocation);
    job?.removeAllocation(allocation);
    this.nodes.removeAllocation(allocation);
    step.changes.removedAllocations.push(allocation);
    step.changes.nodeAllocations.add(allocation.NodeID);
    this.indexes.delete("allocations", step.index);
    this.touch(step, "allocations", allocation.ID);
  }

  putNode(step: Step, node: Node): void {
    const before = this.nodes.get(node.ID);
    const slot = this.nodes.put(node);
    step.changes.nodes.add(node.ID);
    if (isUsable(node) && (before === undefined || !isUsable(before) || before.ModifyIndex !== node.ModifyIndex)) {
      step.changes.freedClasses.add(this.nodes.className(slot));
    }
    this.touch(step, "nodes", node.ID);
    this.digest.text(node.Status);
  }

  removeNode(step: Step, id: string): void {
    const node = this.nodes.get(id);
    if (node !== undefined) step.changes.removedNodes.set(id, node);
    this.nodes.remove(id);
    step.changes.nodes.add(id);
    this.indexes.delete("nodes", step.index);
    this.touch(step, "nodes", id);
  }

  /** Nobody reads it but the leader, so no index moves. */
  putOwed(owed: OwedCopies): void {
    this.owed.put(owed);
    this.digest.text(owed.JobID);
    this.digest.number(owed.Rollout);
    this.digest.word(owed.Regions.length);
  }

  putVariable(step: Step, variable: Variable): void {
    this.variables.put(variable);
    step.changes.variables.add(variableKey(variable.Namespace, variable.Path));
    this.touch(step, "variables", variable.Path, Object.keys(variable.Items).length);
    this.digest.text(variable.Namespace);
    if (variable.Lock !== undefined) this.digest.text(variable.Lock.ID);
  }

  removeVariable(step: Step, variable: Variable): void {
    this.variables.remove(variable);
    step.changes.variables.add(variableKey(variable.Namespace, variable.Path));
    this.indexes.delete("variables", step.index);
    this.touch(step, "variables", variable.Path);
  }

  putNamespace(step: Step, namespace: Namespace): void {
    this.namespaces.put(namespace);
    step.changes.namespaces.add(namespace.Name);
    this.touch(step, "namespaces", namespace.Name);
  }

  removeNamespace(step: Step, name: string): void {
    this.namespaces.remove(name);
    step.changes.namespaces.add(name);
    this.indexes.delete("namespaces", step.index);
    this.touch(step, "namespaces", name);
  }

  putNodePool(step: Step, pool: NodePool): void {
    this.nodePools.put(pool);
    step.changes.removedNodePools.delete(pool.Name);
    step.changes.nodePools.add(pool.Name);
    this.touch(step, "node-pools", pool.Name);
    this.digest.text(pool.SchedulerConfiguration?.SchedulerAlgorithm ?? "");
  }

  removeNodePool(step: Step, name: string): void {
    const before = this.nodePools.get(name);
    if (before !== undefined) step.changes.removedNodePools.set(name, before);
    this.nodePools.remove(name);
    step.changes.nodePools.add(name);
    this.indexes.delete("node-pools", step.index);
    this.touch(step, "node-pools", name);
  }

  #hold(job: JobState, allocation: AllocationState, slot: number): void {
    if (allocation.terminal) return;
    if (slot >= 0) this.nodes.take(slot, allocation.Ask);
    if (slot >= 0 && allocation.Claims !== undefined) this.nodes.hold(slot, allocation.Claims);
    if (allocation.holdsName) this.#name(job, allocation, 1);
    job.liveAllocations += 1;
  }

  /** Counts those that have the name: beside an allocation there may be a canary of the same name. */
  #name(job: JobState, allocation: AllocationState, by: 1 | -1): void {
    const names = job.namesOf(allocation.TaskGroup);
    if (by === 1) names.add(allocation.NameIndex);
    else names.remove(allocation.NameIndex);
  }

  #release(step: Step, job: JobState | undefined, allocation: AllocationState, ask: Ask): void {
    const slot = this.nodes.slot(allocation.NodeID);
    if (slot >= 0) {
      this.nodes.free(slot, ask);
      if (allocation.Claims !== undefined) this.nodes.release(slot, allocation.Claims);
      step.changes.freedClasses.add(this.nodes.className(slot));
    }
    if (job !== undefined) job.liveAllocations -= 1;
  }

  #allocationChanged(step: Step, job: JobState | undefined, allocation: AllocationState, byServer: boolean): void {
    if (job !== undefined) {
      job.allocationsIndex = step.index;
      step.changes.jobAllocations.add(job.key);
    }
    step.changes.allocations.add(allocation);
    if (byServer) step.changes.nodeAllocations.add(allocation.NodeID);
    this.touch(step, "allocations", allocation.ID, allocation.NameIndex);
    this.digest.text(allocation.ClientStatus);
    this.digest.text(allocation.DesiredStatus);
  }

  #count(step: Step, job: JobState, allocation: AllocationState, by: 1 | -1): void {
    countAs(groupSummary(this.changeSummary(step, job), allocation.TaskGroup), allocation.ClientStatus, by);
  }

  /** It had another status before, or the same. */
  #countChange(step: Step, job: JobState, { TaskGroup, ClientStatus }: AllocationState, before: string): void {
    const group = groupSummary(this.changeSummary(step, job), TaskGroup);
    if (ClientStatus === before) return;
    countAs(group, before, -1);
    countAs(group, ClientStatus, 1);
  }

  /** Counts what there is; the counts were set to nothing before. */
  recount(step: Step, job: JobState): void {
    for (const allocation of job.allocations) this.#count(step, job, allocation, 1);
    const children = [...job.children].map((key) => this.jobs.byKey.get(key)).filter((it) => it !== undefined);
    const summary = this.changeSummary(step, job);
    if (summary.Children !== undefined || children.length > 0) summary.Children = JobChildrenSummary.create();
    for (const child of children) this.#countChild(step, child, "", child.job.Status);
  }

  /** A child that goes is no longer counted by its parent. */
  forgetChild(step: Step, job: JobState): void {
    this.#countChild(step, job, job.job.Status, "");
  }

  /**
   * The summary, for this step to change. The first change of a step takes a copy, so who reads keeps what was: a long
   * list goes out in pieces while the state goes on.
   */
  changeSummary(step: Step, job: JobState): JobSummary {
    if (job.summary.ModifyIndex !== step.index) job.summary = copySummary(job.summary, step.index);
    step.changes.summaries.add(job.key);
    step.changes.tables.add("summaries");
    this.indexes.change("summaries", step.index);
    return job.summary;
  }

  touchScaling(step: Step, job: JobState, group: string): void {
    step.changes.jobScaling.add(job.key);
    this.digest.text(job.key);
    this.digest.text(group);
    this.digest.number(job.scalingIndex);
  }

  /**
   * Sets the job's status from what is there: periodic, parameterized and system jobs run until
   * stopped; others while an allocation lives; pending while an evaluation is open; then dead.
   */
  refreshStatus(step: Step, job: JobState): void {
    const status = this.#statusOf(job);
    if (status === job.job.Status) return;
    this.#countChild(step, job, job.job.Status, status);
    job.amend({ Status: status, ModifyIndex: step.index });
    this.touchJob(step, job);
  }

  #statusOf(job: JobState): string {
    const { Stop, Status, Periodic, ParameterizedJob, Dispatched, Type, Namespace, ID } = job.job;
    const standing = Periodic !== undefined || (ParameterizedJob !== undefined && !Dispatched) || Type === "system";
    if (standing && !Stop) return "running";
    if (job.liveAllocations > 0 || this.deployments.latest(Namespace, ID)?.active) return "running";
    const evaluations = this.evaluations.ofJob(Namespace, ID);
    if (evaluations !== undefined && evaluations.open > 0) return "pending";
    // Of a job that was dead, everything may have been collected.
    const fresh = job.allocations.size === 0 && (evaluations === undefined || evaluations.ids.size === 0);
    return fresh && !Stop && Status !== "dead" ? "pending" : "dead";
  }

  /** A child's status shows in its parent's summary. `from` is empty for a new child. */
  #countChild(step: Step, job: JobState, from: string, to: string): void {
    const parent = this.jobs.parentOf(job);
    if (parent === undefined) return;
    const summary = this.changeSummary(step, parent);
    summary.Children ??= JobChildrenSummary.create();
    const children = summary.Children;
    const before = CHILD_BUCKETS[from];
    const after = CHILD_BUCKETS[to];
    if (before !== undefined) children[before] -= 1;
    if (after !== undefined) children[after] += 1;
  }
}

const NO_SERVICES: ReadonlyMap<string, ServiceRegistration> = new Map();

/** The indexes aside, which what follows from an allocation does not have. */
function same(offered: ServiceRegistration, before: ServiceRegistration | undefined): boolean {
  return before !== undefined && JSON.stringify(offered) === JSON.stringify(before);
}

/** The newest version that was marked stable, for rollbacks and comparisons. */
export function newestStable(job: JobState): Job | undefined {
  return job.versions.findLast((version) => version.Stable);
}
