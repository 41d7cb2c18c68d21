import { expect, test } from "vitest";
import { Kernel } from "../kernel/kernel.ts";
import { Life } from "../kernel/life.ts";
import { seededRandom } from "../kernel/random.ts";
import { SimDisk } from "./disk.ts";

const quiet = { debug: noop, info: noop, warn: noop, error: noop, child: () => quiet };
function noop(): void {}

function machine(seed: number) {
  const random = seededRandom(`disk ${seed}`);
  const kernel = new Kernel();
  const disk = new SimDisk(random.child("disk"), kernel);
  const life = () =>
    new Life({ name: "eu-server0", kernel, random: random.child("life"), logger: quiet, skew: { wallMs: 0, rate: 1 } });
  /** Runs `work` in virtual time. */
  const run = async <T>(work: Promise<T>): Promise<T> => {
    void work.catch(noop);
    await kernel.runUntil(kernel.nowMs + 1000);
    return await work;
  };
  return { disk, life, run };
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const SEEDS = Array.from({ length: 40 }, (_, n) => n);

test("simulated disk: power is lost, what was synced stays and the rest may be anything", async () => {
  const tails = new Set<number>();
  for (const seed of SEEDS) {
    const { disk, life, run } = machine(seed);
    const files = disk.files(life());
    await run(files.makeFolder("/data"));
    const file = await run(files.create("/data/a"));
    await run(files.syncFolder("/data"));
    await run(file.append(bytes(1, 2, 3)));
    await run(file.sync());
    await run(file.append(bytes(4, 5)));
    disk.losePower();
    const left = await run(disk.files(life()).read("/data/a"));
    expect([...left.subarray(0, 3)]).toEqual([1, 2, 3]);
    tails.add(left.length);
  }
  expect([...tails].sort()).toEqual([3, 4, 5]);
});

test("simulated disk: power is lost, changes of a folder that were not synced are there or not", async () => {
  const seen = new Set<string>();
  for (const seed of SEEDS) {
    const { disk, life, run } = machine(seed);
    const files = disk.files(life());
    await run(files.makeFolder("/data"));
    for (const name of ["old", "new"]) {
      const file = await run(files.create(`/data/${name}`));
      await run(file.append(bytes(name.length, name.charCodeAt(0))));
      await run(file.sync());
    }
    await run(files.syncFolder("/data"));
    await run(files.rename("/data/new", "/data/old"));
    disk.losePower();
    const names = await run(disk.files(life()).list("/data"));
    const old = await run(disk.files(life()).read("/data/old"));
    expect(old.length).toBe(2);
    seen.add(`${names.join(",")} ${String.fromCharCode(old[1] ?? 0)}`);
  }
  expect([...seen].sort()).toEqual(["new,old o", "old n"]);
});

test("simulated disk: a process dies, its machine keeps what was appended", async () => {
  const { disk, life, run } = machine(1);
  const first = life();
  const files = disk.files(first);
  const file = await run(files.create("/data/a"));
  await run(file.append(bytes(1, 2)));
  first.end();
  expect([...(await run(disk.files(life()).read("/data/a")))]).toEqual([1, 2]);
});

test("simulated disk: it is full, writing fails and the file takes no more until it is cut", async () => {
  const { disk, life, run } = machine(2);
  const files = disk.files(life());
  const file = await run(files.create("/data/a"));
  await run(file.append(bytes(1, 2)));
  await run(file.sync());
  disk.failsWith = "full";
  await expect(run(file.append(bytes(3, 4)))).rejects.toMatchObject({ code: "full" });
  disk.failsWith = undefined;
  await expect(run(file.append(bytes(5)))).rejects.toMatchObject({ code: "failed" });
  await run(files.cut("/data/a", 2));
  const again = await run(files.open("/data/a"));
  await run(again.append(bytes(6)));
  expect([...(await run(files.read("/data/a")))]).toEqual([1, 2, 6]);
});

test("simulated disk: it is replaced, nothing is there", async () => {
  const { disk, life, run } = machine(3);
  const files = disk.files(life());
  await run(files.create("/data/a"));
  disk.wipe();
  expect(await run(files.list("/data"))).toEqual([]);
  await expect(run(files.read("/data/a"))).rejects.toMatchObject({ code: "absent" });
});
