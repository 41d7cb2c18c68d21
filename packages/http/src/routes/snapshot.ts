import { type Call, SteppeError } from "@steppe/model";
import type { QueryOptions } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import type { RegionServices, SnapshotDoor } from "../needs.ts";
import { dataOf } from "../reply/pieces.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Resource } from "../resource.ts";

export const snapshotResources: readonly Resource[] = [
  fixed("/v1/operator/snapshot", { GET: save, PUT: restore, POST: restore }),
];

/** Bytes that go to another server at once. */
const PIECE_BYTES = 512 * 1024;
/** How long a server may take to replace its state, in nanoseconds. */
const RESTORE_MAX = 300e9;

/** The region's state as a file. Cut short when it fails in the middle, which its reader notices. */
async function save(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  exchange.mayBlock();
  const door = own(exchange);
  const pieces = door === undefined ? saveElsewhere(exchange, Query) : door.save();
  return exchange.pipe(pieces, () => "application/x-steppe-snapshot");
}

async function restore(exchange: Exchange): Promise<void> {
  const door = own(exchange);
  const index = await (door === undefined ? restoreElsewhere(exchange) : door.restore(exchange.bodyPieces()));
  return exchange.json(`{"Index":${index}}`);
}

/** Undefined where another region, or on an agent that is no server another server, is to be asked. */
function own({ needs, params }: Exchange): SnapshotDoor | undefined {
  const { region = "" } = params;
  return region === "" || region === needs.region ? needs.snapshots?.() : undefined;
}

function saveElsewhere(exchange: Exchange, Query: QueryOptions): AsyncIterable<Uint8Array> {
  const request = { Query, Server: "", Method: "snapshot.save", Arguments: "{}", Local: false };
  return dataOf(exchange.services(Query.Region).serverCalls.open(request, exchange));
}

/** Sends the body piece by piece to one server of the region: the one that took the first piece. */
async function restoreElsewhere(exchange: Exchange): Promise<number> {
  // Each piece is held until the server has room for it, and the last one until the state is replaced.
  const Query = { ...queryOptions(exchange), MinQueryIndex: 1, MaxQueryTime: RESTORE_MAX };
  const { serverCalls } = exchange.services(Query.Region);
  let [taken, Offset] = [{ Server: "", UploadID: "" }, 0];
  for await (const Data of joined(exchange.bodyPieces())) {
    taken = await send(serverCalls, { ...taken, Query, Offset, Data, End: false }, exchange);
    Offset += Data.length;
  }
  if (Offset === 0) throw new SteppeError("invalid", "Request body is empty");
  const end = { Server: taken.Server, UploadID: taken.UploadID, Query, Offset, Data: new Uint8Array(0), End: true };
  return (await serverCalls.restore(end, exchange)).Index;
}

type Piece = Parameters<RegionServices["serverCalls"]["restore"]>[0];

async function send(service: RegionServices["serverCalls"], piece: Piece, call: Call) {
  const { Server, UploadID } = await service.restore(piece, call);
  return { Server, UploadID };
}

async function* joined(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [waiting, bytes]: [Uint8Array[], number] = [[], 0];
  for await (const piece of pieces) {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(waiting);
    [waiting, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}
