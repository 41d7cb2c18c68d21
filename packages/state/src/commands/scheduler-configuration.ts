import {
  type Outcome,
  PreemptionConfig,
  type SchedulerConfiguration,
  type SetSchedulerConfiguration,
} from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";

const ALGORITHMS: ReadonlySet<string> = new Set(["", "binpack", "spread"]);

/** What holds until an operator says otherwise: only system jobs preempt. */
export function defaultSchedulerConfiguration(): SchedulerConfiguration {
  return {
    SchedulerAlgorithm: "binpack",
    PreemptionConfig: { ...PreemptionConfig.create(), SystemSchedulerEnabled: true },
    MemoryOversubscriptionEnabled: false,
    RejectJobRegistration: false,
    PauseEvalBroker: false,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** Replaces the configuration; with CheckIndex only the one that the writer saw. */
export function setSchedulerConfiguration(state: State, step: Step, command: SetSchedulerConfiguration): Outcome {
  const { Config: config, CheckIndex, ModifyIndex } = command;
  if (config === undefined) return refuse(step, "invalid", "scheduler configuration must be specified");
  if (!ALGORITHMS.has(config.SchedulerAlgorithm)) {
    return refuse(step, "invalid", `invalid scheduler algorithm: ${config.SchedulerAlgorithm}`);
  }
  const before = state.schedulerConfiguration;
  if (CheckIndex && before.ModifyIndex !== ModifyIndex) return done(step, { Updated: false });
  state.schedulerConfiguration = {
    ...config,
    SchedulerAlgorithm: config.SchedulerAlgorithm || "binpack",
    PreemptionConfig: config.PreemptionConfig ?? PreemptionConfig.create(),
    CreateIndex: before.CreateIndex || step.index,
    ModifyIndex: step.index,
  };
  step.changes.schedulerConfiguration = true;
  state.touch(step, "operator", "scheduler-configuration", wordOf(state.schedulerConfiguration));
  return done(step, { Updated: true });
}

/** Its switches as bits, for the digest. */
function wordOf(config: SchedulerConfiguration): number {
  const { PreemptionConfig: preemption } = config;
  const switches = [
    config.SchedulerAlgorithm === "spread",
    config.MemoryOversubscriptionEnabled,
    config.RejectJobRegistration,
    config.PauseEvalBroker,
    preemption?.SystemSchedulerEnabled,
    preemption?.SysBatchSchedulerEnabled,
    preemption?.BatchSchedulerEnabled,
    preemption?.ServiceSchedulerEnabled,
  ];
  return switches.reduce((word, on, bit) => word + (on === true ? 2 ** bit : 0), 0);
}
