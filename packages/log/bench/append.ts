// Appends through proposer and applier with a trivial state machine:
//   node packages/log/bench/append.ts [embedded] [jetstream]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "@steppe/model";
import type { Entry } from "@steppe/proto";
import { createClock, createRandom } from "@steppe/runtime";
import { createApplier, createProposer, openEmbeddedLog, type ReplicatedLog } from "../src/index.ts";
import { startNats } from "../src/internal.ts";
import { connectNats, openJetStreamLog } from "../src/nats.ts";

const SECONDS = Number(process.env.SECONDS ?? 3);
const clock = createClock();
const random = createRandom();
const quiet: Logger = { debug() {}, info() {}, warn: console.warn, error: console.error, child: () => quiet };

const command = {
  $case: "UpdateNodeStatus",
  value: {
    NodeIDs: ["5a1d1d0c-2b8e-4a5e-9f43-7a1c5be0a001"],
    Status: "ready",
    Message: "Node heartbeat resumed",
    Term: 0,
  },
} as const;

function machine() {
  let index = 0;
  return {
    get index() {
      return index;
    },
    entries: 0,
    apply(at: number, entry: Entry) {
      index = at;
      this.entries++;
      const outcomes = entry.Commands.map(() => ({
        Index: at,
        Refusal: undefined,
        EvalID: "",
        EvalCreateIndex: 0,
        JobModifyIndex: 0,
        Warnings: [],
        JobID: "",
        RejectedNodes: [],
        Placed: 0,
        Term: 0,
      }));
      return { outcomes, changes: undefined };
    },
  };
}

async function measure(name: string, log: ReplicatedLog): Promise<void> {
  for (const concurrency of [1, 32, 256]) {
    const state = machine();
    const start = await log.lastIndex();
    await log.truncate(start);
    state.apply(start, { Time: 0, Commands: [] });
    state.entries = 0;
    const applier = createApplier({ log, machine: state, clock, logger: quiet });
    const proposer = createProposer({ log, applier, clock, random, logger: quiet });
    applier.start();
    const times: number[] = [];
    const end = performance.now() + SECONDS * 1000;
    const caller = async () => {
      while (performance.now() < end) {
        const from = performance.now();
        await proposer.propose(command);
        times.push(performance.now() - from);
      }
    };
    const from = performance.now();
    await Promise.all(Array.from({ length: concurrency }, caller));
    const took = (performance.now() - from) / 1000;
    await proposer.close();
    await applier.close();
    times.sort((a, b) => a - b);
    const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(3);
    console.log(
      `${name} concurrency ${concurrency}: ${Math.round(times.length / took)} commands/s in ` +
        `${Math.round(state.entries / took)} entries/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    );
  }
  await log.close();
}

const which = process.argv.slice(2);
if (which.length === 0 || which.includes("embedded")) {
  const folder = await mkdtemp(join(tmpdir(), "steppe-bench-"));
  await measure("embedded", await openEmbeddedLog({ path: join(folder, "log.db"), logger: quiet }));
  await rm(folder, { recursive: true });
}
if (which.length === 0 || which.includes("jetstream")) {
  await using nats = await startNats();
  const connection = await connectNats({ servers: [nats.url], name: "bench", logger: quiet });
  await measure(
    "jetstream R1",
    await openJetStreamLog({ connection, region: "bench", replicas: 1, clock, logger: quiet }),
  );
  await connection.close();
}
