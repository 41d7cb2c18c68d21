// What is asked of one server of this region: passed on to the one that is meant, which answers it itself.
import { type Call, type Clock, type Service, SteppeError } from "@steppe/model";
import type { Member, ServerCallsDefinition } from "@steppe/proto";
import { type Channels, connectServerCalls, joinAddress } from "@steppe/regions";
import type { AgentAnswerer } from "../agent-calls.ts";
import type { SnapshotDoor } from "../durability/snapshot-door.ts";
import { SnapshotUploads } from "./snapshot-uploads.ts";

export interface ServerCallParts {
  readonly region: string;
  readonly channels: Channels;
  readonly clock: Clock;
  self(): Member;
  /** Of all regions, as judged here. */
  members(): readonly Member[];
  /** gRPC address of the server that leads; empty when there is none. */
  leader(): string;
  readonly answer: AgentAnswerer;
  snapshots(): SnapshotDoor;
  /** Of an upload. */
  id(): string;
}

export function createServerCalls(parts: ServerCallParts): Service<ServerCallsDefinition> {
  const { region, channels, self, members } = parts;
  const uploads = new SnapshotUploads({ ...parts, restore: (file) => parts.snapshots().restore(file) });

  /** Undefined: this one. */
  const elsewhere = (wanted: string): Service<ServerCallsDefinition> | undefined => {
    if (wanted === "" || wanted === self().Name || wanted === self().ID) return undefined;
    const leader = wanted === "leader" ? parts.leader() : "";
    if (wanted === "leader" && leader === "") throw new SteppeError("no-leader", "No cluster leader");
    const found = members().find(
      (it) => it.Region === region && (it.Name === wanted || it.ID === wanted || addressOf(it) === leader),
    );
    if (found === undefined) throw new SteppeError("not-found", `unknown Nomad server ${wanted}`);
    if (found.Name === self().Name) return undefined;
    return connectServerCalls(addressOf(found), region, channels);
  };

  return {
    async *open(request, call) {
      const other = request.Local ? undefined : elsewhere(request.Server);
      if (other !== undefined) yield* other.open({ ...request, Local: true }, call);
      else for await (const Data of answer(parts, request, call)) yield { Data };
    },

    async restore(piece, call) {
      const other = elsewhere(piece.Server);
      if (other !== undefined) return await other.restore(piece, call);
      return { Server: self().ID, ...(await uploads.take(piece)) };
    },

    members: async () => ({ Members: [...members()] }),
  };
}

function answer(
  { answer, snapshots }: ServerCallParts,
  { Method, Arguments }: { readonly Method: string; readonly Arguments: string },
  { signal }: Call,
): AsyncIterable<Uint8Array> {
  return Method === "snapshot.save" ? snapshots().save() : answer(Method, Arguments, signal);
}

function addressOf({ Address, GrpcPort }: Member): string {
  return joinAddress(Address, GrpcPort);
}
