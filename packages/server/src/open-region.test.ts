import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@steppe/model";
import { createClock, createRandom } from "@steppe/runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AgentConfig, devConfig } from "./config/index.ts";
import { type RegionEnds, RegionOpener } from "./open-region.ts";

const needs = { clock: createClock(), random: createRandom(), logger: silentLogger };

describe("RegionOpener, on a log in this process", () => {
  let config: AgentConfig;

  beforeEach(async () => {
    config = { ...devConfig().config, dataDir: await mkdtemp(join(tmpdir(), "steppe-open-")) };
  });
  afterEach(async () => await rm(config.dataDir, { recursive: true }));

  async function close({ bus, log }: RegionEnds): Promise<void> {
    await bus.close();
    await log.close();
  }

  test("the region is opened again after it was closed, opens the same log anew", async () => {
    const regions = new RegionOpener(config, silentLogger);
    const first = await regions.open({ ...needs, config });
    await first.log.append(new Uint8Array([1]));
    await close(first);
    const second = await regions.open({ ...needs, config });
    expect(await second.log.lastIndex()).toBe(1);
    await close(second);
    await regions.close();
  });

  test("it is closed before the region is opened, the log is free for another", async () => {
    await new RegionOpener(config, silentLogger).close();
    const regions = new RegionOpener(config, silentLogger);
    await close(await regions.open({ ...needs, config }));
  });

  test("the log cannot be opened, is told to who opens the region", async () => {
    const regions = new RegionOpener(config, silentLogger);
    const open = await regions.open({ ...needs, config });
    const another = new RegionOpener(config, silentLogger);
    await expect(another.open({ ...needs, config })).rejects.toThrow(/open/);
    await another.close();
    await close(open);
  });
});
