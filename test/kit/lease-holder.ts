import { call, eventually } from "./api.ts";
import type { Agent, Region } from "./cluster.ts";

/** The server of the region that leads it. */
export async function leaseHolder(region: Region): Promise<Agent> {
  return eventually("somebody leads", 20_000, async () => {
    for (const server of region.servers) {
      const { body } = await call("GET", `${server.http}/v1/agent/self`);
      if (body.stats?.nomad?.leader === "true") return server;
    }
    throw new Error("nobody");
  });
}
