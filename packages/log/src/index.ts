export { type Applied, type Applier, type ApplierOptions, createApplier } from "./applier.ts";
export { BusError, type RegionBus } from "./bus.ts";
export { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from "./embedded-log.ts";
export { createFreshness, type Freshness } from "./freshness.ts";
export { type LogIdentity, sameLog } from "./identity.ts";
export { Journal, openJournal, readJournalFolder } from "./journal/journal.ts";
export { journaledLog } from "./journal/journaled-log.ts";
export { type JournalPart, readJournal, recordsIn } from "./journal/read-journal.ts";
export { encodeRecord } from "./journal/segment.ts";
export { createLocalBus } from "./local-bus.ts";
export {
  AppendError,
  LogGapError,
  type LogRecord,
  type LogReplica,
  PayloadTooLargeError,
  type ReplicatedLog,
  SILENCE_MAX_MS,
  type SnapshotData,
} from "./log.ts";
export type { StateMachine } from "./machine.ts";
export type { CommandKind } from "./proposals.ts";
export { noQuorum } from "./proposals.ts";
export {
  createProposer,
  type ProposeOptions,
  type Proposer,
  type ProposerDependencies,
  type ProposerOptions,
} from "./proposer.ts";
export type { LogSpan, RegionLog } from "./region-log.ts";
export type { FoundLog, RegionLogs } from "./region-logs.ts";
export { replaceFile } from "./replace-file.ts";
export type { Position, Report } from "./settle/decide.ts";
export { Fence } from "./settle/fence.ts";
export { heedReports } from "./settle/heed.ts";
export { answerOthers, NO_OTHERS, NOTHING_HELD, type OtherServers, reportMessage, reportOf } from "./settle/others.ts";
export { type Settled, type SettleNeeds, settle } from "./settle/settle.ts";
export {
  encodeSnapshotFile,
  readInPieces,
  readSnapshotFile,
  SNAPSHOT_FILE_FORMAT,
  type SnapshotAbout,
  SnapshotFileError,
} from "./snapshots/snapshot-file.ts";
export { isOf, SnapshotFolder } from "./snapshots/snapshot-folder.ts";
