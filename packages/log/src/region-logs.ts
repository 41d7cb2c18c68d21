import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Clock } from "@steppe/model";
import { type LogIdentity, markOf, type RecordMark } from "./identity.ts";
import { ERR, JetStreamRefusal, type StreamState, streamState } from "./jetstream-api.ts";
import { createSnapshotStore, type SnapshotStore } from "./jetstream-snapshots.ts";
import { identityOf } from "./jetstream-stream.ts";
import { createNatsLink } from "./nats-link.ts";
import { createNatsRequests } from "./nats-requests.ts";
import { logNames, type RegionNames, regionNames } from "./region-name.ts";

/** One log of a region, as the NATS cluster has it. */
export interface FoundLog {
  readonly identity: LogIdentity;
  /** Index of the oldest record kept, and of the newest. */
  readonly first: number;
  readonly last: number;
  /** It takes no more records: another has followed it, or is about to. */
  readonly sealed: boolean;
}

/** All logs that a region ever had and its NATS cluster still has. Every call rejects while the cluster has no leader. */
export interface RegionLogs {
  /** Ascending by epoch. */
  list(): Promise<FoundLog[]>;
  /** The record at an index; undefined when the log does not have it. */
  markAt(log: LogIdentity, index: number): Promise<RecordMark | undefined>;
  /** Makes a log. False when one of its epoch is there already, from somebody else. */
  create(identity: LogIdentity): Promise<boolean>;
  /** From now on it takes no record, whoever sends it. */
  seal(log: LogIdentity): Promise<void>;
  /** Where the snapshots of a log are. */
  snapshots(log: LogIdentity): SnapshotStore;
  close(): void;
}

const SNAPSHOT_LOAD_TIMEOUT_MS = 120_000;
const SNAPSHOT_RETRY_MS = 30_000;
const REQUEST_TIMEOUT_MS = 2000;

export interface RegionLogsOptions {
  /** Stays the caller's. */
  readonly connection: NatsConnection;
  readonly region: string;
  /** Of a log that is made. */
  readonly replicas: number;
  readonly clock: Clock;
}

export async function openRegionLogs({ connection, region, replicas, clock }: RegionLogsOptions): Promise<RegionLogs> {
  const names = regionNames(region);
  const link = createNatsLink(connection, clock);
  const requests = createNatsRequests(connection, link, clock);
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: REQUEST_TIMEOUT_MS * 2 });
  return {
    async list() {
      const found: FoundLog[] = [];
      for (const stream of await logStreams(manager, names)) {
        const state = await stateUnlessGone(() => streamState(requests, stream, REQUEST_TIMEOUT_MS));
        if (state !== undefined) found.push(foundLog(stream, state));
      }
      return found.sort((a, b) => a.identity.epoch - b.identity.epoch);
    },

    async markAt(log, index) {
      const message = await manager.streams
        .getMessage(logNames(names, log).stream, { seq: index - log.base })
        .catch((error: unknown) => (isNoMessage(error) ? null : Promise.reject(error)));
      return message === null ? undefined : markOf({ index, payload: message.data });
    },

    async create(identity) {
      try {
        await manager.streams.add(streamConfig(names, identity, replicas));
        return true;
      } catch (error) {
        const code = (error as { code?: number }).code;
        if (code === ERR.streamNameInUse) return false;
        throw error;
      }
    },

    async seal(log) {
      await manager.streams.update(logNames(names, log).stream, { sealed: true } as Partial<StreamConfig>);
    },

    snapshots: (log) =>
      createSnapshotStore({
        ...{ connection, manager, clock, replicas, prefix: logNames(names, log).snapshotPrefix },
        ...{ loadTimeoutMs: SNAPSHOT_LOAD_TIMEOUT_MS, retryTimeoutMs: SNAPSHOT_RETRY_MS },
      }),

    close() {
      requests.close();
      link.close();
    },
  };
}

/** Names of the streams that are logs of the region, in no order. */
export async function logStreams(manager: JetStreamManager, names: RegionNames): Promise<string[]> {
  const found: string[] = [];
  for await (const name of manager.streams.names()) {
    const isLog = name === names.stream || (name.startsWith(`${names.stream}@`) && /@\d+$/.test(name));
    if (isLog) found.push(name);
  }
  return found;
}

export function streamConfig(names: RegionNames, identity: LogIdentity, replicas: number) {
  const { stream, logSubject } = logNames(names, identity);
  const { base, epoch, id } = identity;
  return {
    name: stream,
    subjects: [logSubject],
    description: JSON.stringify(epoch === 0 ? { base } : { base, epoch, id }),
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    num_replicas: replicas,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msg_size: -1,
    // Truncation needs both; see jetstream-truncate.ts.
    deny_delete: false,
    deny_purge: false,
  };
}

function foundLog(stream: string, { description, firstSeq, lastSeq, sealed }: StreamState): FoundLog {
  const identity = identityOf(description, stream);
  return { identity, first: identity.base + firstSeq, last: identity.base + lastSeq, sealed };
}

async function stateUnlessGone(ask: () => Promise<StreamState>): Promise<StreamState | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof JetStreamRefusal && error.code === ERR.streamNotFound) return undefined;
    throw error;
  }
}

function isNoMessage(error: unknown): boolean {
  return (error as { code?: number }).code === ERR.noMessageFound;
}
