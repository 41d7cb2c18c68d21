import { type OtherServers, reportOf } from "@steppe/log";
import type { Clock } from "@steppe/model";
import type { Member } from "@steppe/proto";
import { askHeld, type Channels, joinAddress, LEFT } from "@steppe/regions";

/** A server shows itself once a second; after three, those of the region that are there are known. */
const KNOWN_AFTER_MS = 3000;
/** Longer than anybody waits for it. */
const ASK_TIMEOUT_MS = 2500;

export interface NeighbourNeeds {
  readonly name: string;
  readonly region: string;
  readonly channels: Channels;
  readonly clock: Clock;
  /** All of them as judged here; undefined until this server has found its own place. */
  members(): readonly Member[] | undefined;
}

/** The region's other servers by gRPC, which works where the region's NATS does not. */
export function neighbours({ name, region, channels, clock, members }: NeighbourNeeds): OtherServers {
  let firstMs: number | undefined;
  const others = () => {
    const all = members();
    if (all === undefined) return undefined;
    firstMs ??= clock.monotonicMs();
    // The dead as well: one that stood still, or was cut off, may be about to come back.
    return all.filter((it) => it.Region === region && it.Name !== name && it.Status !== LEFT);
  };
  return {
    known() {
      const found = others();
      const mayBeMore = found === undefined || clock.monotonicMs() - (firstMs ?? 0) < KNOWN_AFTER_MS;
      return { names: (found ?? []).map((it) => it.Name), mayBeMore };
    },
    async held(other, signal) {
      const member = others()?.find((it) => it.Name === other);
      if (member === undefined) throw new Error(`${other} is not known`);
      const call = { signal, timeoutMs: ASK_TIMEOUT_MS };
      const address = joinAddress(member.Address, member.GrpcPort);
      return reportOf(await askHeld(address, { name, region }, channels, call));
    },
  };
}
