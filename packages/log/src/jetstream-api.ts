import type { Msg } from "@nats-io/nats-core";
import type { LogReplica } from "./log.ts";
import type { NatsRequests } from "./nats-requests.ts";

// The few calls of the JetStream API that a log makes while it runs. Those that set things up
// go through the client library; these must know whether they were sent, and end at once when
// the connection breaks.

/** An answer of the JetStream API that says no. `code` is one of its error codes (`err_code`). */
export class JetStreamRefusal extends Error {
  readonly code: number;

  constructor(code: number, description: string) {
    super(description);
    this.name = "JetStreamRefusal";
    this.code = code;
  }
}

/** https://github.com/nats-io/nats-server/blob/main/server/errors.json */
export const ERR = {
  accountResources: 10002,
  insufficientResources: 10023,
  memoryResources: 10028,
  notEnabledForAccount: 10039,
  storageResources: 10047,
  messageTooLarge: 10054,
  streamNameInUse: 10058,
  noMessageFound: 10037,
  deleteFailed: 10057,
  streamNotFound: 10059,
  notEnabled: 10076,
  storeFailed: 10077,
  headerTooLarge: 10097,
  sealed: 10109,
} as const;

export interface StreamState {
  /** Tells one stream from another of the same name. */
  readonly created: string;
  readonly replicas: number;
  readonly description: string;
  /** It takes no more records. */
  readonly sealed: boolean;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly copies: readonly LogReplica[];
}

const EMPTY = new Uint8Array(0);
/** Only the stream's leader answers, and there may be a new one. */
const ASK_AGAIN_MS = 500;

export async function streamState(
  requests: NatsRequests,
  stream: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<StreamState> {
  const answer = await requests.request(`$JS.API.STREAM.INFO.${stream}`, EMPTY, timeoutMs, signal, ASK_AGAIN_MS);
  const { created, config, state, cluster } = parse<{
    created: string;
    config: { num_replicas: number; description?: string; sealed?: boolean };
    state: { first_seq: number; last_seq: number; messages: number };
    cluster?: ClusterInfo;
  }>(answer);
  return {
    created,
    replicas: config.num_replicas,
    description: config.description ?? "",
    sealed: config.sealed === true,
    firstSeq: state.messages === 0 ? state.last_seq + 1 : state.first_seq,
    lastSeq: state.last_seq,
    copies: copiesOf(cluster),
  };
}

/** As JetStream tells it; a single server that is in no cluster tells nothing, or only itself. */
interface ClusterInfo {
  readonly leader?: string;
  readonly replicas?: readonly {
    readonly name: string;
    readonly current: boolean;
    readonly offline?: boolean;
    readonly lag?: number;
    /** Nanoseconds. */
    readonly active: number;
  }[];
}

function copiesOf(cluster: ClusterInfo | undefined): LogReplica[] {
  const { leader = "", replicas = [] } = cluster ?? {};
  const leading = { name: leader || "nats", leader: true, current: true, offline: false, lag: 0, silentMs: 0 };
  const others = replicas.map(({ name, current, offline = false, lag = 0, active }) => {
    return { name, leader: false, current, offline, lag, silentMs: active / 1e6 };
  });
  // Between two elections there are only followers.
  return leader === "" && others.length > 0 ? others : [leading, ...others];
}

/** Makes a consumer that pushes every message from sequence `from` on to `deliver`; resolves with its name. */
export async function createPushConsumer(
  requests: NatsRequests,
  stream: string,
  options: { readonly deliver: string; readonly from: number; readonly heartbeatMs: number },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  const config = {
    deliver_subject: options.deliver,
    deliver_policy: "by_start_sequence",
    opt_start_seq: options.from,
    ack_policy: "none",
    max_deliver: 1,
    replay_policy: "instant",
    flow_control: true,
    idle_heartbeat: options.heartbeatMs * 1e6,
    // Gone this long after its reader: a crashed server cannot clean up.
    inactive_threshold: 10e9,
    // Where a tail is up to is known here, not there.
    mem_storage: true,
    num_replicas: 1,
  };
  const body = new TextEncoder().encode(JSON.stringify({ stream_name: stream, config }));
  const answer = await requests.request(`$JS.API.CONSUMER.CREATE.${stream}`, body, timeoutMs, signal);
  return parse<{ name: string }>(answer).name;
}

/** The JSON of an answer. Throws `JetStreamRefusal` when it says no. */
export function parse<T>(answer: Msg): T {
  const body = answer.json<T & { error?: { code: number; err_code?: number; description?: string } }>();
  if (body.error !== undefined) {
    throw new JetStreamRefusal(body.error.err_code ?? body.error.code, body.error.description ?? "refused");
  }
  return body;
}
