import { regionsOf } from "@steppe/model";
import { type Deployment, type Job, QueryOptions } from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import { decideRollout, type Part, partOf, type RolloutStep } from "./decide.ts";
import type { RolloutNeeds, RolloutTiming } from "./needs.ts";

/**
 * Moves this region's part of rollouts that go over several regions, during one term. It reads how far
 * the others are and writes to its own log only: what is decided follows from their states, so neither
 * a lost answer nor a new leader changes it.
 */
export async function coordinateRollouts(
  term: number,
  needs: RolloutNeeds,
  timing: RolloutTiming,
  signal: AbortSignal,
): Promise<void> {
  const { view, clock, onApplied } = needs;
  const alarm = new Alarm();
  const open = new Set<string>();
  const follow = (id: string, { IsMultiregion }: Deployment) => {
    if (IsMultiregion && view.deployments.get(id)?.active) open.add(id);
    else open.delete(id);
  };
  for (const [id, { deployment }] of view.deployments.byId) follow(id, deployment);
  const unsubscribe = onApplied(({ changes }) => {
    for (const [id, deployment] of changes.deployments) {
      follow(id, deployment);
      if (deployment.IsMultiregion) alarm.ring();
    }
  });
  const absences = new Absences(timing.awayMs, () => clock.monotonicMs());
  while (!signal.aborted) {
    await Promise.all([...open].map((id) => advance(id)));
    await alarm.wait(clock, open.size === 0 ? Number.POSITIVE_INFINITY : timing.lookMs, signal);
  }
  unsubscribe();

  async function advance(id: string): Promise<void> {
    const found = rolloutOf(needs, id);
    if (found === undefined) return;
    const { job, rollout, deployment } = found;
    if (!MOVES.has(deployment.Status) && job.Multiregion?.Strategy?.OnFailure !== "fail_all") return;
    const names = regionsOf(job);
    const own = names.indexOf(needs.region);
    const parts = await Promise.all(names.map((name, at) => (at === own ? "over" : look(name, job, rollout))));
    if (signal.aborted) return;
    const now = view.deployments.get(id)?.deployment;
    if (now === undefined || now.Status !== deployment.Status) return;
    const { MaxParallel = 0, OnFailure = "" } = job.Multiregion?.Strategy ?? {};
    await write(
      now,
      decideRollout({
        ...{ status: now.Status, maxParallel: MaxParallel, onFailure: OnFailure },
        ...{ before: parts.slice(0, own), after: parts.slice(own + 1) },
      }),
    );
  }

  async function look(name: string, { Namespace, ID }: Job, rollout: number): Promise<Part> {
    try {
      const call = { signal, timeoutMs: LOOK_TIMEOUT_MS };
      const query = { ...QUERY, Region: name, Namespace };
      const there = await needs.route(name).jobs.rollout({ Query: query, JobID: ID }, call);
      absences.end(name);
      const key = `${name} ${Namespace}/${ID}`;
      if (there.Rollout < rollout) return absences.at(key);
      absences.end(key);
      return there.Rollout > rollout ? "over" : partOf(there.Status);
    } catch (error) {
      if (!signal.aborted)
        needs.logger.debug({ err: error, region: name, job: ID }, "a region of a rollout did not answer");
      return absences.at(name);
    }
  }

  async function write({ ID: DeploymentID, Status: From, TaskGroups }: Deployment, step: RolloutStep): Promise<void> {
    if (step.kind === "wait") return;
    const common = { Term: term, DeploymentID, StatusDescription: step.description };
    const Rollback = Object.values(TaskGroups).some(({ AutoRevert }) => AutoRevert);
    try {
      const { Refusal } = await needs.propose(
        step.kind === "fail"
          ? { $case: "FailDeployment", value: { ...common, Rollback } }
          : { $case: "MoveDeployment", value: { ...common, From, Status: step.status } },
        { signal },
      );
      // It is looked at again with the change that made it so.
      if (Refusal !== undefined) needs.logger.debug({ DeploymentID, reason: Refusal.Message }, "deployment not moved");
    } catch (error) {
      if (!signal.aborted) needs.logger.warn({ err: error, DeploymentID }, "deployment not moved; trying again");
    }
  }
}

function rolloutOf({ view }: RolloutNeeds, id: string) {
  const deployment = view.deployments.get(id)?.deployment;
  const entry = deployment && view.jobs.get(deployment.Namespace, deployment.JobID);
  if (deployment === undefined || entry === undefined || entry.rolloutVersion !== deployment.JobVersion)
    return undefined;
  return { deployment, job: entry.job, rollout: entry.rollout };
}

/** Since when something is missing, by name. */
class Absences {
  readonly #since: Map<string, number> = new Map();
  readonly #awayMs: number;
  readonly #nowMs: () => number;

  constructor(awayMs: number, nowMs: () => number) {
    this.#awayMs = awayMs;
    this.#nowMs = nowMs;
  }

  /** For a while it may come back at any moment. */
  at(name: string): Part {
    const since = this.#since.get(name) ?? this.#nowMs();
    this.#since.set(name, since);
    return this.#nowMs() - since >= this.#awayMs ? "away" : "waiting";
  }

  end(name: string): void {
    this.#since.delete(name);
  }
}

const QUERY = QueryOptions.create();
const MOVES: ReadonlySet<string> = new Set(["pending", "blocked", "unblocking"]);
const LOOK_TIMEOUT_MS = 2_000;
