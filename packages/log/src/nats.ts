// What needs NATS, apart from the rest: a process without NATS need not load its client.
export { type JetStreamLogOptions, openJetStreamLog } from "./jetstream-log.ts";
export { createNatsBus } from "./nats-bus.ts";
export { connectNats, type NatsOptions } from "./nats-connection.ts";
export { openRegionLogs } from "./region-logs.ts";
