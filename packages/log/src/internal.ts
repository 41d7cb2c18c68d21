// For tests, here and in other packages. Nothing that ships imports this.
export { encodeCommand, encodeEntry } from "./entry-bytes.ts";
export { regionNames } from "./region-name.ts";
export {
  findNatsServer,
  freePort,
  type NatsCluster,
  type NatsServer,
  type NatsServerOptions,
  startNats,
  startNatsCluster,
} from "./testing/nats-server.ts";
