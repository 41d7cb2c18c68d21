// From nothing to answers, and the memory that takes.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mockTaskJob } from "../kit/jobs.ts";
import { type Started, start as startProcess } from "../kit/process.ts";
import { cpuMs, residentMb, threads } from "./live/processes.ts";
import { inParallel, Requests } from "./live/requests.ts";
import { ROUNDS, rounds } from "./live/rounds.ts";
import type { Scenario } from "./scenario.ts";

const ROOT = join(import.meta.dirname, "../..");
/** From the sources, and as it is published. */
const SOURCES = [join(ROOT, "bin/steppe")];
const BUILT = [process.execPath, "--disable-warning=ExperimentalWarning", join(ROOT, "dist/bin/steppe.js")];
const JOBS = 10_000;
const PORT_HTTP = 24_646;
/** After so long at rest memory is read. */
const REST_MS = 5_000;

export const start: Scenario = {
  name: "start",
  summary: "agent -dev from exec to an answer of /v1/status/leader; a server with 10,000 jobs; memory at rest",
  async run() {
    execFileSync(process.execPath, [join(ROOT, "scripts/build.js")], { stdio: "ignore" });
    const folder = await mkdtemp(join(tmpdir(), "steppe-start-"));
    try {
      const dev = ["agent", "-dev", ...ports()];
      const server = [...BUILT, "agent", "-server", "-data-dir", folder, ...ports()];
      // The first start of each fills the compile cache.
      for (const command of [SOURCES, BUILT]) await once([...command, ...dev]);
      const fromSources = await measured(ROUNDS, [...SOURCES, ...dev]);
      const built = await measured(ROUNDS, [...BUILT, ...dev]);
      const empty = await measured(1, server);
      await fill(server);
      const full = await measured(ROUNDS, server);
      const row = (what: string, it: Awaited<ReturnType<typeof measured>>) => [what, it.ms, it.cpu, it.mb, it.threads];
      return [
        {
          title: "Start",
          columns: ["what", "ms to an answer", "CPU ms until then", "resident MB at rest", "threads"],
          rows: [
            row("agent -dev, as published", built),
            row("agent -dev, from the sources", fromSources),
            row("server, empty", empty),
            row("server, 10,000 jobs on disk", full),
          ],
        },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const ports = () => ["-bind", "127.0.0.1", "-http-port", String(PORT_HTTP), "-rpc-port", "0"];
const URL_LEADER = `http://127.0.0.1:${PORT_HTTP}/v1/status/leader`;

const measured = (count: number, command: readonly string[]) => rounds(count, () => once(command));

async function once([file = "", ...args]: readonly string[]) {
  const from = performance.now();
  const agent = startProcess("agent", file, args);
  try {
    await answered(agent);
    const ms = performance.now() - from;
    const cpu = cpuMs([agent.pid]);
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    return { ms, cpu, mb: residentMb(agent.pid), threads: threads(agent.pid) };
  } finally {
    await agent.stop();
  }
}

/** Until a leader is told: asks every 5 ms, each time on a new connection. */
async function answered(agent: Started): Promise<void> {
  for (;;) {
    const leader = await leaderNow();
    if (leader !== "") return;
    if (agent.child.exitCode !== null) throw new Error(`the agent ended: ${JSON.stringify(agent.lines.slice(-5))}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function leaderNow(): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(URL_LEADER, { agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(response.statusCode === 200 ? (JSON.parse(text) as string) : ""));
    });
    // Not listening yet.
    sent.on("error", () => resolve(""));
    sent.end();
  });
}

async function fill([file = "", ...args]: readonly string[]): Promise<void> {
  const agent = startProcess("agent", file, args);
  await answered(agent);
  const requests = new Requests();
  const url = `http://127.0.0.1:${PORT_HTTP}/v1/jobs`;
  await inParallel(JOBS, 64, (n) => requests.put(url, { Job: mockTaskJob(`job-${n}`, { count: 0 }) }));
  requests.close();
  await agent.stop(30_000);
}
