// The places of a server that are measured, each as a wrapper, so that what is measured knows nothing of it.
import type { Bus, Propose } from "@steppe/control";
import type { Clock } from "@steppe/model";
import type { Command, Evaluation } from "@steppe/proto";
import type { apply } from "@steppe/state";
import type { Replica } from "../replica.ts";
import { type Meter, timed } from "./figures.ts";

/** How long entries take to apply, and how many commands of each kind they have. */
export function meteredApply(given: typeof apply, meter: Meter, clock: Clock): typeof apply {
  const applies = meter.timer("nomad.nomad.fsm.apply");
  const commands = byLabel((kind: string) => meter.counter("steppe.commands", { kind }));
  return (state, index, entry) => {
    const beganMs = clock.monotonicMs();
    const applied = given(state, index, entry);
    applies.add(clock.monotonicMs() - beganMs);
    for (const { Kind: kind } of entry.Commands) commands(kind?.$case ?? "none").add(1);
    return applied;
  };
}

/** What goes to the log, and how long it is until it is applied here. */
export function meteredProposer(given: Replica["proposer"], meter: Meter, clock: Clock): Replica["proposer"] {
  const proposals = meter.counter("nomad.raft.apply");
  const commits = meter.timer("nomad.raft.commitTime");
  const barriers = meter.timer("nomad.raft.barrier");
  return {
    propose: (kind, options) => {
      proposals.add(1);
      return timed(commits, clock, () => given.propose(kind, options));
    },
    barrier: (signal) => timed(barriers, clock, () => given.barrier(signal)),
    close: () => given.close(),
  };
}

/** Plans that were applied on this replica, whoever made them. */
export function meterPlans({ applier }: Pick<Replica, "applier">, meter: Meter): void {
  const written = meter.counter("steppe.log.bytes");
  applier.onApplied(({ entry, outcomes, bytes }) => {
    written.add(bytes);
    for (const [i, outcome] of outcomes.entries()) {
      const kind: Command["Kind"] = entry.Commands[i]?.Kind;
      if (kind?.$case !== "ApplyPlan") continue;
      meter.count("nomad.nomad.plan.apply");
      if (outcome.Placed > 0) meter.count("steppe.plan.placed", {}, outcome.Placed);
      if (outcome.RejectedNodes.length > 0) {
        meter.count("nomad.nomad.plan.node_rejected", {}, outcome.RejectedNodes.length);
      }
    }
  });
}

export function meteredSchedule<P>(
  given: (evaluation: Evaluation) => P,
  meter: Meter,
  clock: Clock,
): (evaluation: Evaluation) => P {
  const schedules = byLabel((type: string) => meter.timer(`nomad.nomad.worker.invoke_scheduler.${type}`));
  return (evaluation) => {
    const beganMs = clock.monotonicMs();
    try {
      return given(evaluation);
    } finally {
      schedules(evaluation.Type).add(clock.monotonicMs() - beganMs);
    }
  };
}

export function meteredPlans(given: Propose, meter: Meter, clock: Clock): Propose {
  const plans = meter.timer("nomad.nomad.worker.submit_plan");
  return (kind, options) => timed(plans, clock, () => given(kind, options));
}

/** What workers ask the broker; a request for an evaluation is held until there is one. */
export function meteredBus(given: Pick<Bus, "request" | "publish">, meter: Meter, clock: Clock): typeof given {
  const acknowledged = meter.timer("nomad.nomad.worker.send_ack");
  const dequeued = meter.timer("nomad.nomad.worker.dequeue_eval");
  return {
    publish: (subject, payload) => given.publish(subject, payload),
    request: (subject, payload, timeoutMs, signal) => {
      const timer = subject.endsWith("ack") ? acknowledged : dequeued;
      return timed(timer, clock, () => given.request(subject, payload, timeoutMs, signal));
    },
  };
}

/** How long requests took, by route, method and class of status. */
export function requestTimes(meter: Meter): (route: string, method: string, status: number, ms: number) => void {
  const ofRoutes = byLabel((route: string) =>
    byLabel((method: string) =>
      byLabel((hundreds: number) => meter.timer("steppe.http.request", { route, method, status: `${hundreds}xx` })),
    ),
  );
  return (route, method, status, ms) => ofRoutes(route)(method)(Math.floor(status / 100)).add(ms);
}

/** Makes one for each label that comes; those come from the code and not from requests. */
function byLabel<K, T>(make: (label: K) => T): (label: K) => T {
  const made = new Map<K, T>();
  return (label) => {
    let it = made.get(label);
    if (it === undefined) {
      it = make(label);
      made.set(label, it);
    }
    return it;
  };
}
