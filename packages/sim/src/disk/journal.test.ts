// A server's journal on a simulated disk: processes die at any call, the machine loses power, the disk fills up.
import { type Journal, type LogRecord, openJournal } from "@steppe/log";
import { type AppendFile, FileError, type Files } from "@steppe/model";
import { expect, test } from "vitest";
import { Kernel } from "../kernel/kernel.ts";
import { Life } from "../kernel/life.ts";
import { type SeededRandom, seededRandom } from "../kernel/random.ts";
import { SimDisk } from "./disk.ts";

const LOG = { epoch: 0, id: "", base: 0 };
const FOLDER = "/data/journal";
const STEPS = 60;

const quiet = { debug: noop, info: noop, warn: noop, error: noop, child: () => quiet };
function noop(): void {}

const payloadOf = (index: number) => new TextEncoder().encode(`record ${index} `.padEnd(10 + (index % 40), "."));

/** One server's journal over many lives; what was ever promised of it. */
class JournalRun {
  readonly #random: SeededRandom;
  readonly #kernel = new Kernel();
  readonly #disk: SimDisk;
  readonly #files: (real: Files) => Files;
  #promised = 0;
  fault: string | undefined;

  constructor(seed: number, files: (real: Files) => Files) {
    this.#random = seededRandom(`journal ${seed}`);
    this.#disk = new SimDisk(this.#random.child("disk"), this.#kernel);
    this.#files = files;
  }

  async run(): Promise<string | undefined> {
    for (let n = 0; n < STEPS && this.fault === undefined; n++) {
      const life = this.#life(n);
      this.#disk.failsWith = undefined;
      void this.#live(life).catch((error: unknown) => {
        // A life that gives up is as good as dead.
        if (!(error instanceof FileError)) this.fault ??= String(error);
      });
      await this.#kernel.runUntil(this.#kernel.nowMs + this.#random.between(5, 200));
      life.end();
      if (this.#random.chance(0.4)) this.#disk.losePower();
      // What the dead process had asked for is done before another starts.
      await this.#kernel.runUntil(this.#kernel.nowMs + 50);
    }
    return this.fault;
  }

  #life(n: number): Life {
    const random = this.#random.child(`life ${n}`);
    const life = new Life({
      name: "eu-server0",
      kernel: this.#kernel,
      random,
      logger: quiet,
      skew: { wallMs: 0, rate: 1 },
    });
    if (random.chance(0.5)) life.dieAtEffect(1 + random.below(40));
    return life;
  }

  /** Opens, looks at what is there, appends until it dies. */
  async #live(life: Life): Promise<void> {
    const journal = await openJournal({
      files: this.#files(this.#disk.files(life)),
      folder: FOLDER,
      logger: quiet,
      segmentBytes: 300,
    });
    await this.#check(journal);
    if (journal.identity === undefined) await journal.restart(LOG, 0);
    for (;;) {
      if (life.random.chance(0.1)) this.#disk.failsWith = life.random.pick(["full", "failed", undefined]);
      const from = journal.last + 1;
      const records = Array.from({ length: 1 + life.random.below(4) }, (_, i): LogRecord => {
        return { index: from + i, payload: payloadOf(from + i) };
      });
      try {
        await journal.append(records);
        this.#promised = Math.max(this.#promised, journal.last);
      } catch {
        await life.clock.after(3);
        this.#disk.failsWith = undefined;
        await journal.repair();
      }
    }
  }

  /** What a life finds it will serve, so from then on that is promised too. */
  async #check(journal: Journal): Promise<void> {
    if (journal.last < this.#promised)
      this.fault ??= `the journal ends at ${journal.last}; ${this.#promised} was promised`;
    for (let next = journal.first; next !== 0 && next <= journal.last; ) {
      const records = await journal.read(next);
      for (const { index, payload } of records) {
        if (Buffer.compare(payload, payloadOf(index)) !== 0) this.fault ??= `record ${index} is another one`;
      }
      next += records.length;
    }
    this.#promised = Math.max(this.#promised, journal.last);
  }
}

const SEEDS = Array.from({ length: 12 }, (_, n) => n);

test("journal: processes die and power is lost at any moment, what was promised is there", async () => {
  for (const seed of SEEDS) expect(await new JournalRun(seed, (files) => files).run(), `seed ${seed}`).toBeUndefined();
});

test("journal: records acknowledged before they are durable, are noticed as lost", async () => {
  const unsynced = (file: AppendFile): AppendFile => ({
    get size() {
      return file.size;
    },
    append: (bytes) => file.append(bytes),
    sync: async () => undefined,
    close: () => file.close(),
  });
  const hasty = (files: Files): Files => ({ ...files, open: async (path) => unsynced(await files.open(path)) });
  const found: (string | undefined)[] = [];
  for (const seed of SEEDS) found.push(await new JournalRun(seed, hasty).run());
  expect(found.some((fault) => fault?.includes("was promised"))).toBe(true);
});
