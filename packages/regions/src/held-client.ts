import type { Call } from "@steppe/model";
import { type LogReport, MembershipDefinition } from "@steppe/proto";
import type { Channels } from "./channels.ts";
import { grpcMethods } from "./grpc-definition.ts";

const { held: HELD } = grpcMethods(MembershipDefinition);

/** What another server of the region holds of its log. `name`: of the one that asks. */
export function askHeld(
  address: string,
  { name, region }: { readonly name: string; readonly region: string },
  channels: Channels,
  call: Call,
): Promise<LogReport> {
  return channels.to(address, region).unary(HELD, { Name: name }, call);
}
