import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import type { SnapshotDoor } from "../needs.ts";
import { fixed, type Resource } from "../resource.ts";

export const snapshotResources: readonly Resource[] = [
  fixed("/v1/operator/snapshot", { GET: save, PUT: restore, POST: restore }),
];

/** The region's state as a file. Cut short when it fails in the middle, which its reader notices. */
async function save(exchange: Exchange): Promise<void> {
  const pieces = door(exchange).save()[Symbol.asyncIterator]();
  // Until the first piece is there, a failure is an answer of its own.
  const first = await pieces.next();
  const reply = exchange.stream("application/x-steppe-snapshot");
  try {
    for (let next = first; next.done !== true && !exchange.isHead; next = await pieces.next()) {
      await reply.write(next.value);
    }
    reply.end();
  } catch (error) {
    exchange.abandon(error);
  } finally {
    await pieces.return?.();
  }
}

async function restore(exchange: Exchange): Promise<void> {
  const index = await door(exchange).restore(exchange.bodyPieces());
  return exchange.json(`{"Index":${index}}`);
}

function door({ needs, params }: Exchange): SnapshotDoor {
  const { region } = params;
  if (region !== undefined && region !== "" && region !== needs.region) {
    throw new SteppeError("refused", `ask a server of region ${region} for its snapshots`);
  }
  if (needs.snapshots === undefined)
    throw new SteppeError("refused", "this agent is no server; ask a server for snapshots");
  return needs.snapshots();
}
