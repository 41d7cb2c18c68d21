// npm run chaos:measure.
//
// Times of failover, on processes of this machine and without containers; one measure, several rounds.
import { parseArgs } from "node:util";
import { handOver } from "./measures/hand-over.ts";
import { streamLeader } from "./measures/stream-leader.ts";

const HELP = `Usage: npm run chaos:measure -- MEASURE [options]

Measures:
  stream-leader-dies    SIGKILL of the NATS node that leads the stream: NATS's election, and what Steppe adds
  stream-leader-hangs   SIGSTOP of it
  hand-over             a lease holder and a worker that leave, in order and not: time without an evaluation

Options:
  --rounds N   default 3
  --help       this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false }, rounds: { type: "string", default: "3" } },
});
const rounds = Number(values.rounds);
const MEASURES: Readonly<Record<string, () => Promise<void>>> = {
  "stream-leader-dies": () => streamLeader("dies", rounds),
  "stream-leader-hangs": () => streamLeader("hangs", rounds),
  "hand-over": () => handOver(rounds),
};
const measure = MEASURES[positionals[0] ?? ""];
if (values.help || measure === undefined) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 1);
}
await measure();
