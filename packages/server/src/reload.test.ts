// What a running agent reads again: `reload` and SIGHUP come to the same.
import type { Logger } from "@steppe/model";
import { expect, onTestFinished, test } from "vitest";
import { startAgent } from "./agent.ts";
import { type AgentConfig, devConfig } from "./config/index.ts";

const nothing = () => undefined;

test("agent told to reload, has the new headers, CORS and log level; what is wrong changes nothing", async () => {
  const { config } = devConfig({ ports: { http: 0, rpc: 0 }, logLevel: "error" });
  const base: AgentConfig = { ...config, client: { ...config.client, enabled: false } };
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => logger, level: "error" };
  let fresh: () => AgentConfig = () => base;
  const agent = await startAgent(base, logger satisfies Logger, nothing, async () => fresh());
  onTestFinished(() => agent.close());
  const ask = async () => {
    const { headers } = await fetch(`http://${agent.http}/v1/status/peers`, { headers: { Origin: "http://ui.test" } });
    return [headers.get("x-made-by"), headers.get("access-control-allow-origin")];
  };
  const reload = () => fetch(`http://${agent.http}/v1/agent/reload`, { method: "PUT" });
  expect(await ask()).toEqual([null, null]);

  const cors = { allowedOrigins: ["http://ui.test"], allowedHeaders: [], allowCredentials: false, maxAgeMs: 0 };
  fresh = () => ({ ...base, logLevel: "debug", http: { ...base.http, responseHeaders: { "X-Made-By": "us" }, cors } });
  expect((await reload()).status).toBe(200);
  expect(await ask()).toEqual(["us", "http://ui.test"]);
  expect(logger.level).toBe("debug");

  fresh = () => {
    throw new Error("no such file");
  };
  expect((await reload()).status).toBe(500);
  expect(await ask()).toEqual(["us", "http://ui.test"]);

  fresh = () => base;
  await agent.reload();
  expect(await ask()).toEqual([null, null]);
});
