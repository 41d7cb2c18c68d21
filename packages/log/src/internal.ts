// For tests, here and in other packages. Nothing that ships imports this.
export { encodeCommand, encodeEntry } from "./entry-bytes.ts";
export { markOf, type RecordMark } from "./identity.ts";
export { GapJudge } from "./jetstream-gaps.ts";
export type { SnapshotStore } from "./jetstream-snapshots.ts";
export { regionNames } from "./region-name.ts";
export { REPORTS } from "./settle/settle.ts";
export {
  findNatsServer,
  freePort,
  type NatsCluster,
  type NatsServer,
  type NatsServerOptions,
  startNats,
  startNatsCluster,
} from "./testing/nats-server.ts";
