// The places of a server that are measured, each as a wrapper, so that what is measured knows nothing of it.
import type { Bus, Propose } from "@steppe/control";
import type { Clock } from "@steppe/model";
import type { Command, Evaluation } from "@steppe/proto";
import type { apply } from "@steppe/state";
import type { Replica } from "../replica.ts";
import { type Meter, timed } from "./figures.ts";

/** How long entries take to apply, and how many commands of each kind they have. */
export function meteredApply(given: typeof apply, meter: Meter, clock: Clock): typeof apply {
  return (state, index, entry) => {
    const beganMs = clock.monotonicMs();
    const applied = given(state, index, entry);
    meter.sample("nomad.nomad.fsm.apply", clock.monotonicMs() - beganMs);
    for (const { Kind: kind } of entry.Commands) meter.count("steppe.commands", { kind: kind?.$case ?? "none" });
    return applied;
  };
}

/** What goes to the log, and how long it is until it is applied here. */
export function meteredProposer(given: Replica["proposer"], meter: Meter, clock: Clock): Replica["proposer"] {
  return {
    propose: (kind, options) => {
      meter.count("nomad.raft.apply");
      return timed(meter, clock, "nomad.raft.commitTime", () => given.propose(kind, options));
    },
    barrier: (signal) => timed(meter, clock, "nomad.raft.barrier", () => given.barrier(signal)),
    close: () => given.close(),
  };
}

/** Plans that were applied on this replica, whoever made them. */
export function meterPlans({ applier }: Pick<Replica, "applier">, meter: Meter): void {
  applier.onApplied(({ entry, outcomes, bytes }) => {
    meter.count("steppe.log.bytes", {}, bytes);
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
  return (evaluation) => {
    const beganMs = clock.monotonicMs();
    try {
      return given(evaluation);
    } finally {
      meter.sample(`nomad.nomad.worker.invoke_scheduler.${evaluation.Type}`, clock.monotonicMs() - beganMs);
    }
  };
}

export function meteredPlans(given: Propose, meter: Meter, clock: Clock): Propose {
  return (kind, options) => timed(meter, clock, "nomad.nomad.worker.submit_plan", () => given(kind, options));
}

/** What workers ask the broker; a request for an evaluation is held until there is one. */
export function meteredBus(given: Pick<Bus, "request" | "publish">, meter: Meter, clock: Clock): typeof given {
  return {
    publish: (subject, payload) => given.publish(subject, payload),
    request: (subject, payload, timeoutMs, signal) => {
      const name = subject.endsWith("ack") ? "send_ack" : "dequeue_eval";
      return timed(meter, clock, `nomad.nomad.worker.${name}`, () =>
        given.request(subject, payload, timeoutMs, signal),
      );
    },
  };
}
