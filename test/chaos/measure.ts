// npm run chaos:measure.
//
// Times of failover, one measure, several rounds; on processes of this machine unless it says containers.
import { parseArgs } from "node:util";
import { handOver } from "./measures/hand-over.ts";
import { neighbourCut } from "./measures/neighbour-cut.ts";
import { regionAlone } from "./measures/region-alone.ts";
import { streamLeader } from "./measures/stream-leader.ts";

const HELP = `Usage: npm run chaos:measure -- MEASURE [options]

Measures:
  stream-leader-dies    SIGKILL of the NATS node that leads the stream: NATS's election, and what Steppe adds
  stream-leader-hangs   SIGSTOP of it
  hand-over             a lease holder and a worker that leave, in order and not: time without an evaluation
  neighbour-cut         a region cut off for --seconds: p99 of local writes before, while and after
  region-alone          a scenario of npm run chaos (--only) on one region of containers that has the machine for itself

Options:
  --rounds N   default 3
  --only TEXT  scenarios of region-alone whose name has this text, default "kill -9 a server"
  --monitoring let region-alone tell first what Prometheus, as deploy/ has it, gets
  --seconds N  of each phase of neighbour-cut, default 60
  --help       this text
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "kill -9 a server" },
    monitoring: { type: "boolean", default: false },
    seconds: { type: "string", default: "60" },
  },
});
const rounds = Number(values.rounds);
const MEASURES: Readonly<Record<string, () => Promise<void>>> = {
  "stream-leader-dies": () => streamLeader("dies", rounds),
  "stream-leader-hangs": () => streamLeader("hangs", rounds),
  "hand-over": () => handOver(rounds),
  "neighbour-cut": () => neighbourCut(rounds, Number(values.seconds) * 1000),
  "region-alone": () => regionAlone(values.only, rounds, values.monitoring),
};
const measure = MEASURES[positionals[0] ?? ""];
if (values.help || measure === undefined) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 1);
}
await measure();
