import type { Clock, Service } from "@steppe/model";
import type { StatusDefinition } from "@steppe/proto";
import type { StateView } from "@steppe/state";

/** Who leads this region, and which servers it has. */
export function createStatus(view: StateView, clock: Clock, peers: () => string[]): Service<StatusDefinition> {
  return {
    leader: async () => ({
      Address: view.lease !== undefined && view.lease.Expires > clock.wallNs() ? view.lease.Address : "",
    }),
    peers: async () => ({ Addresses: peers().sort() }),
  };
}
