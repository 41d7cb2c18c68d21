// Records a history with the code that is checked out: `node test/replay/record.ts COMMIT`, from a
// clean checkout of that commit (or of one whose `apply` is the same). Recordings are never made anew:
// what they hold is what a region that was upgraded has in its log.
import { parseArgs } from "node:util";
import { history } from "./history.ts";
import { write } from "./recording.ts";

const SEED = 22;
const STEPS = 1700;
const SNAPSHOT_EVERY = 300;

const { positionals } = parseArgs({ allowPositionals: true });
const [commit] = positionals;
if (commit === undefined) {
  process.stderr.write("usage: node test/replay/record.ts COMMIT\n");
  process.exit(1);
}
const recorder = history(SEED, STEPS, SNAPSHOT_EVERY);
write(commit, recorder.recording());
for (const [kind, { accepted, refused }] of [...recorder.seen].sort()) {
  process.stdout.write(
    `${kind.padEnd(28)} ${String(accepted).padStart(6)} taken ${String(refused).padStart(6)} refused\n`,
  );
}
const { jobs, allocations, nodes, evaluations, deployments, index } = recorder.state;
const sizes = { index, jobs: jobs.byKey.size, allocations: allocations.byId.size, evaluations: evaluations.byId.size };
process.stdout.write(`${JSON.stringify({ ...sizes, nodes: nodes.slotOf.size, deployments: deployments.byId.size })}\n`);
