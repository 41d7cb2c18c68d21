import { parseId } from "@steppe/model";
import { type Command, Entry, type Outcome, Placements, Plan, PlanResult } from "@steppe/proto";
import { type Applied, apply } from "../apply.ts";
import { State } from "../state.ts";

/**
 * A state with the log that made it: proposes commands one an entry, through the codec as in
 * production, and can replay them. Ids and times are counted, not drawn.
 */
export class Ledger {
  readonly state: State = new State();
  readonly entries: Uint8Array[] = [];
  /** Unix nanoseconds of the next entry. */
  now = 1_700_000_000e9;
  #count = 0;

  /** A fresh id, distinct from those that commands mint. */
  id(): string {
    this.#count += 1;
    return `00000000-0000-4000-8000-${String(this.#count).padStart(12, "0")}`;
  }

  run(kind: NonNullable<Command["Kind"]>, requestId = this.id()): Outcome {
    return this.step(kind, requestId).outcomes[0] as Outcome;
  }

  step(kind: NonNullable<Command["Kind"]>, requestId = this.id()): Applied {
    const command: Command = { RequestID: requestId, IDSeed: parseId(this.id()), Kind: kind, Fingerprint: "" };
    const bytes = Entry.encode({ Time: this.now, Commands: [command] }).finish();
    this.entries.push(bytes);
    return apply(this.state, this.entries.length, Entry.decode(bytes));
  }

  /** Another replica: a state that applied the same entries. */
  replay(from: State = new State()): State {
    for (let n = from.index; n < this.entries.length; n++) {
      apply(from, n + 1, Entry.decode(this.entries[n] as Uint8Array));
    }
    return from;
  }
}

/** A plan that puts one allocation of `group` a row on a node. */
export function planFor(
  ledger: Pick<Ledger, "state" | "id">,
  evalId: string,
  jobId: string,
  group: string,
  rows: readonly [name: number, node: string][],
): Plan {
  const job = ledger.state.jobs.get("default", jobId)?.job;
  const allocIds = new Uint8Array(16 * rows.length);
  const nodes = [...new Set(rows.map(([, node]) => node))];
  for (const [n] of rows.entries()) parseId(ledger.id(), allocIds, 16 * n);
  const placements: Placements = {
    ...Placements.create(),
    TaskGroup: group,
    AllocIDs: allocIds,
    NameIndexes: rows.map(([name]) => name),
    NodeIDs: nodes,
    Nodes: rows.map(([, node]) => nodes.indexOf(node)),
    Scores: rows.map(() => 0.5),
  };
  return {
    ...Plan.create(),
    EvalID: evalId,
    Namespace: "default",
    JobID: jobId,
    JobVersion: job?.Version ?? 0,
    JobCreateIndex: job?.CreateIndex ?? 0,
    JobModifyIndex: job?.JobModifyIndex ?? 0,
    SnapshotIndex: ledger.state.index,
    Placements: rows.length === 0 ? [] : [placements],
    Result: { ...PlanResult.create(), Status: "complete" },
  };
}
