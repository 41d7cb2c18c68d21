import { SECOND } from "@steppe/model";
import type { AutopilotConfiguration, Outcome, SetAutopilotConfiguration } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";

/** What holds until an operator says otherwise: the peer's own numbers. */
export function defaultAutopilotConfiguration(): AutopilotConfiguration {
  return {
    CleanupDeadServers: true,
    LastContactThreshold: SECOND / 5,
    MaxTrailingLogs: 250,
    MinQuorum: 0,
    ServerStabilizationTime: 10 * SECOND,
    EnableRedundancyZones: false,
    DisableUpgradeMigration: false,
    EnableCustomUpgrades: false,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** Replaces the configuration; with CheckIndex only the one that the writer saw. */
export function setAutopilotConfiguration(state: State, step: Step, command: SetAutopilotConfiguration): Outcome {
  const { Config: config, CheckIndex, ModifyIndex } = command;
  if (config === undefined) return refuse(step, "invalid", "autopilot configuration must be specified");
  const before = state.autopilotConfiguration;
  if (CheckIndex && before.ModifyIndex !== ModifyIndex) return done(step, { Updated: false });
  state.autopilotConfiguration = {
    ...config,
    CreateIndex: before.CreateIndex || step.index,
    ModifyIndex: step.index,
  };
  state.touch(step, "operator", "autopilot-configuration", wordOf(config));
  return done(step, { Updated: true });
}

/** Its switches as bits and its numbers added up, for the digest. */
function wordOf(config: AutopilotConfiguration): number {
  const { CleanupDeadServers, EnableRedundancyZones, DisableUpgradeMigration, EnableCustomUpgrades } = config;
  const switches = [CleanupDeadServers, EnableRedundancyZones, DisableUpgradeMigration, EnableCustomUpgrades];
  const bits = switches.reduce((word, on, bit) => word + (on ? 2 ** bit : 0), 0);
  const numbers =
    config.LastContactThreshold + config.MaxTrailingLogs + config.MinQuorum + config.ServerStabilizationTime;
  return (bits + numbers * 16) % 2 ** 32;
}
