import { Member } from "@steppe/proto";
import type { AgentConfig } from "./config/index.ts";
import { API_VERSION, STEPPE_VERSION } from "./version.ts";

/** This server as others see it. */
export function ownMember(
  config: AgentConfig,
  id: string,
  startedNs: number,
  ports: { http: number; rpc: number },
): Member {
  const { rpc } = config.advertise;
  return {
    ...Member.create(),
    Name: `${config.name}.${config.region}`,
    Region: config.region,
    Datacenter: config.datacenter,
    Address: rpc.host,
    GrpcPort: rpc.port || ports.rpc,
    HttpPort: config.advertise.http.port || ports.http,
    ID: id,
    Version: API_VERSION,
    Incarnation: startedNs,
    Heartbeat: 1,
    Status: "alive",
    Tags: { steppe: STEPPE_VERSION },
  };
}
