/** What must hold once all faults are over and things had time to settle. */
import { checkExactlyOnce, describeFaults } from "../checkers/exactly-once.ts";
import { jobRegister } from "../checkers/job-register.ts";
import { checkLinearizable } from "../checkers/linearizable.ts";
import { PERIOD_S } from "../workload/jobs.ts";
import type { Workload } from "../workload/workload.ts";
import type { Region, World } from "../world/world.ts";

/** What is not as it should be yet; one line each. */
export function unsettled(world: World): string[] {
  return world.regions.flatMap((region) => {
    const down = region.machines.filter(({ life }) => life === undefined).map(({ name }) => `${name} is down`);
    return [...down, ...unserved(region), ...openEvaluations(region), ...unfinishedJobs(region)];
  });
}

/** What of a region is not there for its clients yet. */
export function unserved({ name, logs, servers }: Region): string[] {
  const idle = servers.filter(({ serves }) => !serves).map((server) => `${server.name} does not serve`);
  // What was lost may have been sent again, all of it; then there is nothing to rebuild.
  const { newest } = logs;
  const isWhole = servers.every(
    ({ held }) => held?.epoch === newest?.identity.epoch && held?.index === newest?.lastIndex,
  );
  return logs.isLost && !isWhole ? [`${name} has not rebuilt its log`, ...idle] : idle;
}

function openEvaluations({ name, witness }: Region): string[] {
  return [...witness.state.evaluations.byId.values()]
    .filter(({ Status }) => Status === "pending")
    .map(({ ID, JobID, TriggeredBy }) => `${name}: evaluation ${ID} of ${JobID} (${TriggeredBy}) is still pending`);
}

/** The nodes have room for all of them. */
function unfinishedJobs({ name, witness }: Region): string[] {
  return [...witness.state.jobs.byKey.values()].flatMap(({ job, allocations }) => {
    const here = `${name}: job ${job.ID} version ${job.Version}`;
    const live = [...allocations].filter(({ terminal }) => !terminal);
    if (job.Stop) return live.length === 0 ? [] : [`${here} is stopped and has ${live.length} live allocations`];
    if (job.Periodic !== undefined) return [];
    // There is always a child that has just begun.
    if (job.ParentID !== "" && witness.state.time - job.SubmitTime < 15e9) return [];
    if (job.Type === "batch") return job.Status === "dead" ? [] : [`${here} is ${job.Status}, not dead`];
    return job.TaskGroups.flatMap((group) => {
      const running = live.filter(
        ({ TaskGroup, ClientStatus }) => TaskGroup === group.Name && ClientStatus === "running",
      );
      const told = live
        .map(({ Name, DesiredStatus, ClientStatus }) => `${Name} ${DesiredStatus}/${ClientStatus}`)
        .join(", ");
      return running.length === group.Count && live.length === running.length
        ? []
        : [`${here} has ${running.length} of ${group.Count} running (${told})`];
    });
  });
}

/** Judges the whole run; failures go to the world. `calmMs`: since when nothing went wrong any more. */
export function judge(world: World, workload: Workload, calmMs: number): void {
  for (const { witness, logs } of world.regions) witness.show(logs.newest?.tip);
  for (const text of unsettled(world)) world.fail("settled", text);
  if (!workload.isDone) world.fail("settled", "a client still waits for an answer");
  world.blocking.judgeOpen();
  const effects = world.regions.flatMap(({ witness }) => witness.effects.map(({ mark }) => mark));
  const faults = describeFaults(checkExactlyOnce(workload.writes, effects));
  if (faults !== undefined) world.fail("exactly once", faults);
  for (const region of world.regions) judgeTicks(world, region, calmMs);
  const verdict = checkLinearizable(workload.history, jobRegister);
  if (!verdict.ok) {
    const told = verdict.unexplained.map((operation) => JSON.stringify(operation)).slice(0, 6);
    world.fail(
      "linearizable",
      `${verdict.key} is ${verdict.reason}: explained ${verdict.explained.length}, not\n  ${told.join("\n  ")}`,
    );
  }
}

/** Each tick since a leader has settled was launched; that none was twice is seen as it happens. */
function judgeTicks(world: World, { name, witness }: Region, calmMs: number): void {
  const toMs =
    Math.min(...world.regions.flatMap(({ servers }) => servers.map(({ life }) => life?.clock.wallNs() ?? 0))) / 1e6 -
    3000;
  const elapsedMs = world.kernel.nowMs - calmMs;
  for (const { job } of witness.state.jobs.periodic) {
    if (job.Stop) continue;
    const launched = new Set(
      witness.launches.filter((launch) => launch.job === job.ID).map(({ tickNs }) => tickNs / 1e6),
    );
    const last = Math.max(0, ...launched);
    // A clock that ran ahead may have launched ticks that are yet to come; then there is nothing to say.
    const fromMs = Math.max(toMs - elapsedMs + 15_000, job.SubmitTime / 1e6);
    if (last > toMs + 2 * PERIOD_S * 1000) continue;
    for (let tick = Math.ceil(fromMs / 1000 / PERIOD_S) * PERIOD_S * 1000; tick <= toMs; tick += PERIOD_S * 1000) {
      if (!launched.has(tick)) world.fail("periodic", `${name}: tick ${tick / 1000} of ${job.ID} was not launched`);
    }
  }
}
