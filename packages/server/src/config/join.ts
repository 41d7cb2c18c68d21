import { formatEndpoint } from "./addresses.ts";
import type { Checks } from "./checks.ts";
import { DEFAULTS } from "./defaults.ts";
import type { FileOptions } from "./options.ts";

/** The spellings Nomad has had for "servers to find", of a server and of a client. */
export type JoinOptions = Pick<
  NonNullable<FileOptions["server"]>,
  "join" | "retry_join" | "start_join" | "server_join"
> &
  Pick<NonNullable<FileOptions["client"]>, "servers">;

/** All of them as one list of `host:port`, in the order of the spellings below, none twice. */
export function joinAddresses(options: JoinOptions, block: "server" | "client", checks: Checks): string[] {
  const lists: readonly (readonly [string, readonly string[] | undefined])[] = [
    [`${block}.join`, options.join],
    [`${block}.servers`, options.servers],
    [`${block}.retry_join`, options.retry_join],
    [`${block}.start_join`, options.start_join],
    [`${block}.server_join.retry_join`, options.server_join?.retry_join],
    [`${block}.server_join.start_join`, options.server_join?.start_join],
  ];
  const addresses = lists.flatMap(([path, list = []]) =>
    list.map((text) => formatEndpoint(checks.endpoint(path, text, DEFAULTS.rpcPort))),
  );
  return [...new Set(addresses)];
}

const GOSSIP_PORT = 4648;

/** Nomad's servers join each other at the gossip port, and a file brought over will say so. */
export function warnOfGossipPorts(addresses: readonly string[]): string[] {
  return addresses
    .filter((address) => address.endsWith(`:${GOSSIP_PORT}`))
    .map(
      (address) =>
        `join address ${address} names Nomad's gossip port; servers here are joined at their rpc port (${DEFAULTS.rpcPort})`,
    );
}
