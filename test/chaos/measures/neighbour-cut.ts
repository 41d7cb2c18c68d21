// A region is cut off from the others: what local writes elsewhere, and in itself, notice of it.
//
// Two regions of two servers, a worker and a NATS node each; all that they say to each other passes proxies that fall
// silent: nobody is told, as with a network that drops everything. Local writes go on at a light, steady rate, and users ask
// for the other region the whole time.
import { readFileSync } from "node:fs";
import { freePort } from "@steppe/log/internal";
import { call, eventually } from "../../kit/api.ts";
import { Cluster } from "../../kit/cluster.ts";
import { PacedWriter } from "../../kit/paced-writer.ts";
import { percentile } from "../../kit/samples.ts";
import { TcpProxy } from "../../kit/tcp-proxy.ts";

const NAMES = ["us", "eu"] as const;
const WRITES_PER_SECOND = 40;
const ASKED_EVERY_MS = 500;
const WARM_UP_MS = 15_000;

/** What the machine does otherwise disturbs some windows; the median over them is of the others. */
const WINDOW_MS = 5_000;
const TICKS_PER_SECOND = 100;

interface Phase {
  readonly p50: number;
  readonly p99: number;
  /** Median over windows of the p99 of each. */
  readonly p99OfWindows: number;
  readonly most: number;
}

/** `phaseMs`: of each of before, during and after. */
export async function neighbourCut(rounds: number, phaseMs: number): Promise<void> {
  const links = new Map<string, { readonly port: number; readonly proxy: TcpProxy }>();
  for (const region of NAMES) {
    for (const n of [1, 2]) {
      const port = await freePort();
      links.set(`${region}-server-${n + (region === "eu" ? 3 : 0)}`, {
        port,
        proxy: await TcpProxy.to(`127.0.0.1:${port}`),
      });
    }
  }
  const proxies = [...links.values()].map(({ proxy }) => proxy);
  await using cluster = await Cluster.create({
    embedded: false,
    rpc: (name) => {
      const link = links.get(name);
      return link && { port: link.port, advertised: Number(link.proxy.address.split(":")[1]) };
    },
  });
  for (const name of NAMES) await cluster.addRegion({ name, servers: 2, workers: 1, clients: 0 });
  const urls = NAMES.map((name) => cluster.region(name).servers.map(({ http }) => http));
  await using asking = askAcross(urls);
  await eventually("the regions know each other", 30_000, async () => {
    if (asking.failing()) throw new Error("not yet");
  });
  await using inUs = new PacedWriter(urls[0] as string[], WRITES_PER_SECOND);
  await using inEu = new PacedWriter(urls[1] as string[], WRITES_PER_SECOND);
  const writers = [inUs, inEu];
  await sleep(WARM_UP_MS);
  const ratios: number[] = [];
  for (let n = 1; n <= rounds; n++) {
    const moments = [performance.now()];
    const cpu = [cpuOf(cluster)];
    for (const turn of ["before", "cut", "after"]) {
      if (turn === "cut") for (const proxy of proxies) proxy.silence();
      if (turn === "after") for (const proxy of proxies) proxy.heal();
      await sleep(phaseMs);
      moments.push(performance.now());
      cpu.push(cpuOf(cluster));
    }
    await sleep(2_000);
    const [begun = 0, cut = 0, healed = 0, end = 0] = moments;
    const half = (begun + cut) / 2;
    for (const [i, name] of NAMES.entries()) {
      const phase = (from: number, to: number) => phaseOf(writers[i] as PacedWriter, from, to);
      const [before, during, after] = [phase(begun, cut), phase(cut, healed), phase(healed, end)];
      const [first, second] = [phase(begun, half), phase(half, cut)];
      const during99 = during.p99OfWindows / before.p99OfWindows;
      ratios.push(during99);
      const all = (pick: (it: Phase) => number) => [before, during, after].map((it) => shown(pick(it))).join(" -> ");
      const used = cpu.slice(1).map((it, k) => ((it[i] ?? 0) - (cpu[k]?.[i] ?? 0)) / (phaseMs / 1000));
      process.stdout.write(
        `round ${n}, ${name}, before -> cut -> after: p99 in windows of 5 s ${all((it) => it.p99OfWindows)} (x ${during99.toFixed(2)} while cut; ` +
          `second half of before against its first x ${(second.p99OfWindows / first.p99OfWindows).toFixed(2)}), p99 ${all((it) => it.p99)}, ` +
          `p50 ${all((it) => it.p50)}, longest ${all((it) => it.most)}, CPU of its servers ${used.map((it) => `${it.toFixed(0)} ms/s`).join(" -> ")}\n`,
      );
    }
    await eventually("the regions know each other again", 30_000, async () => {
      if (asking.failing()) throw new Error("not yet");
    });
  }
  const failed = writers.flatMap((writer) => writer.failed);
  process.stdout.write(
    `neighbour cut, ${rounds} rounds, two regions: p99 (windows) while cut against before: median x ${percentile(ratios, 0.5).toFixed(2)}, most x ${Math.max(...ratios).toFixed(2)}; ` +
      `${writers.reduce((sum, { written }) => sum + written.length, 0)} writes, ${failed.length} failed ${[...new Set(failed)].join(" | ")}\n`,
  );
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
}

/** A user of each region asks for the other one, again and again. */
function askAcross(urls: readonly (readonly string[])[]): AsyncDisposable & { failing(): boolean } {
  const stop = new AbortController();
  const failing = NAMES.map(() => true);
  const loops = NAMES.map(async (_, i) => {
    while (!stop.signal.aborted) {
      const to = NAMES[1 - i];
      const answer = await call("GET", `${urls[i]?.[0]}/v1/jobs?region=${to}&prefix=none`).catch(() => undefined);
      failing[i] = answer?.status !== 200;
      await sleep(ASKED_EVERY_MS);
    }
  });
  return {
    failing: () => failing.some((it) => it),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(loops);
    },
  };
}

function phaseOf(writer: PacedWriter, from: number, to: number): Phase {
  const took = writer.tookBetween(from, to);
  const windows: number[] = [];
  for (let at = from; at + WINDOW_MS <= to + 1; at += WINDOW_MS) {
    windows.push(percentile(writer.tookBetween(at, at + WINDOW_MS), 0.99));
  }
  return {
    p50: percentile(took, 0.5),
    p99: percentile(took, 0.99),
    p99OfWindows: percentile(windows, 0.5),
    most: Math.max(0, ...took),
  };
}

/** CPU time of each region's servers so far, milliseconds. */
function cpuOf(cluster: Cluster): number[] {
  return NAMES.map((name) =>
    cluster.region(name).servers.reduce((sum, { pid }) => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      return sum + ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
    }, 0),
  );
}

function shown(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
