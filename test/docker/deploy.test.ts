// What deploy/ says, as far as it can be checked without a Docker engine.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "@steppe/model";
import { devConfig, startAgent } from "@steppe/server";
import { describe, expect, test } from "vitest";
import { call, eventually } from "../kit/api.ts";
import { dashboardPanels } from "./dashboard.ts";

const DEPLOY = join(dirname(fileURLToPath(import.meta.url)), "../../deploy");
const read = (file: string) => readFileSync(join(DEPLOY, file), "utf8");

const quiet: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => quiet };

/** Names told by a process that is server, lease holder, worker and node agent in one. */
async function metricNames(): Promise<Set<string>> {
  const { config } = devConfig({ ports: { http: 0, rpc: 0 }, logLevel: "silent" });
  const agent = await startAgent(config, quiet, () => undefined);
  try {
    return await eventually("the lease is held, and the broker's figures told", 30_000, async () => {
      const { text } = await call("GET", `http://${agent.http}/v1/metrics?format=prometheus`);
      const names = new Set(text.match(/^(?:nomad|steppe)_\w+/gm));
      if (!names.has("nomad_nomad_broker_total_ready")) throw new Error([...names].join(" "));
      return names;
    });
  } finally {
    await agent.close();
  }
}

describe("deploy", () => {
  test("dashboard, asks only for metrics that /v1/metrics tells", async () => {
    const told = await metricNames();
    const asked = dashboardPanels().flatMap(({ targets }) =>
      targets.flatMap(({ expr }) => expr.match(/(?:nomad|steppe)_\w+/g) ?? []),
    );

    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter((name) => !told.has(name))).toEqual([]);
  });

  test("dashboard, has a data source, a title and a place for each panel", () => {
    for (const panel of JSON.parse(read("monitoring/grafana/steppe.json")).panels) {
      expect(panel).toMatchObject({ title: expect.any(String), datasource: { uid: "prometheus" } });
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
    }
  });

  test("scripts, are shell that parses", () => {
    for (const script of [
      "entrypoint.sh",
      "certificates.sh",
      "nats/start.sh",
      "local-base/build.sh",
      "local-base/up.sh",
      "local-base/previous.sh",
      "../scripts/docker-engine.sh",
    ]) {
      execFileSync("sh", ["-n", join(DEPLOY, script)]);
    }
  });

  test("compose file, mounts only what is there", () => {
    const mounts = read("compose.yaml").match(/^ {6}- \.\/[^:]+/gm) ?? [];

    expect(mounts.length).toBeGreaterThan(3);
    for (const mount of mounts) expect(existsSync(join(DEPLOY, mount.trim().slice(2))), mount).toBe(true);
  });
});
