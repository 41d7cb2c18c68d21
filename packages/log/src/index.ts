export { type Applied, type Applier, type ApplierOptions, createApplier } from "./applier.ts";
export { BusError, type RegionBus } from "./bus.ts";
export { type EmbeddedLogOptions, openEmbeddedLog } from "./embedded-log.ts";
export { createFreshness, type Freshness } from "./freshness.ts";
export { createLocalBus } from "./local-bus.ts";
export {
  AppendError,
  LogGapError,
  type LogRecord,
  type LogReplica,
  PayloadTooLargeError,
  type ReplicatedLog,
} from "./log.ts";
export type { StateMachine } from "./machine.ts";
export type { CommandKind } from "./proposals.ts";
export {
  createProposer,
  type ProposeOptions,
  type Proposer,
  type ProposerDependencies,
  type ProposerOptions,
} from "./proposer.ts";
export { replaceFile } from "./replace-file.ts";
