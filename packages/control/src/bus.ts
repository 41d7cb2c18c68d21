/** What the duties need of the region's bus; `RegionBus` of `@steppe/log` is one. */
export interface Bus {
  publish(subject: string, payload: Uint8Array): void;
  request(subject: string, payload: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<Uint8Array>;
  subscribe(subject: string, handle: (payload: Uint8Array) => void, signal: AbortSignal): void;
  serve(subject: string, handle: (payload: Uint8Array) => Promise<Uint8Array>, signal: AbortSignal): void;
}

export const SUBJECTS = {
  /** BrokerDequeueRequest, BrokerDequeueResponse. Served by the leader only. */
  dequeue: "broker.dequeue",
  /** BrokerAckRequest, BrokerAckResponse. Served by the leader only. */
  ack: "broker.ack",
  /** BrokerTouch. */
  touch: "broker.touch",
  /** BrokerLeave. */
  leave: "broker.leave",
  /** HeartbeatBatch, from whichever server the nodes talk to. */
  heartbeat: "heartbeat",
} as const;
