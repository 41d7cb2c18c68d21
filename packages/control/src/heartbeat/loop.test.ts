import { mockNode } from "@steppe/model/internal";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../testing/cluster.ts";
import { HeartbeatCollector } from "./collector.ts";

const TIMING = { heartbeat: { ttlMinMs: 1_000, graceMs: 1_000, failoverMs: 20_000, perSecondMax: 50 } };
/** Two of the shortest TTL and the grace. */
const PATIENCE_MS = 3_000;

const idOf = (n: number) => mockNode({}, n).ID;

async function led(nodes: number) {
  const cluster = new TestCluster();
  const server = cluster.server("a", TIMING);
  await cluster.region.clock.advance(100);
  await cluster.nodes(nodes);
  const collector = new HeartbeatCollector(cluster.client, new AbortController().signal);
  const status = (n: number) => cluster.client.view.nodes.get(idOf(n))?.Status;
  return { cluster, server, collector, status, clock: cluster.region.clock };
}

describe("heartbeats", () => {
  test("a node falls silent, is down and its jobs are evaluated; the others stay up", async () => {
    const { cluster, collector, status, clock } = await led(3);
    cluster.worker("w");
    await cluster.job("web", 2);
    for (let second = 0; second < 6; second++) {
      collector.heard([idOf(1), idOf(2)]);
      await clock.advance(1_000);
    }
    expect([0, 1, 2].map(status)).toEqual(["down", "ready", "ready"]);
    expect(cluster.client.view.nodes.get(idOf(0))?.Events.at(-1)?.Message).toBe("Node heartbeat missed");
    expect(cluster.evaluationsOf("web").map(({ TriggeredBy }) => TriggeredBy)).toContain("node-update");
  });

  test("many fall silent together, are marked in one command", async () => {
    const { cluster, status, clock } = await led(20);
    const before = cluster.region.log.length;
    await clock.advance(PATIENCE_MS + 150);
    expect(Array.from({ length: 20 }, (_, n) => status(n)).every((it) => it === "down")).toBe(true);
    const changed = cluster.client.view.nodes.nodes.map((node) => node?.ModifyIndex ?? 0);
    expect(Math.min(...changed)).toBeGreaterThan(before);
    expect(new Set(changed).size).toBe(1);
  });

  test("a node is down, is not timed until it is back", async () => {
    const { cluster, status, clock } = await led(1);
    await clock.advance(PATIENCE_MS + 150);
    const downAt = cluster.client.view.nodes.get(idOf(0))?.ModifyIndex;
    await clock.advance(2 * PATIENCE_MS);
    expect(cluster.client.view.nodes.get(idOf(0))?.ModifyIndex).toBe(downAt);
    await cluster.write({
      $case: "UpdateNodeStatus",
      value: { NodeIDs: [idOf(0)], Status: "ready", Message: "back", Term: 0 },
    });
    await clock.advance(PATIENCE_MS - 100);
    expect(status(0)).toBe("ready");
    await clock.advance(300);
    expect(status(0)).toBe("down");
  });

  test("a new leader, gives every node the failover time, and its own once it is heard of (2 servers)", async () => {
    const { cluster, server, collector, status, clock } = await led(2);
    cluster.server("b", TIMING);
    await server.leadership.stop();
    await clock.advance(100);
    expect(cluster.client.view.lease?.Term).toBe(2);
    collector.heard([idOf(0)]);
    await clock.advance(10_000);
    expect([status(0), status(1)]).toEqual(["down", "ready"]);
    await clock.advance(10_100);
    expect(status(1)).toBe("down");
  });
});

test("heartbeat collector: many heartbeats in a moment, are one message", async () => {
  const { cluster, collector, clock } = await led(0);
  let messages = 0;
  cluster.client.bus.subscribe("heartbeat", () => messages++, new AbortController().signal);
  for (let n = 0; n < 100; n++) collector.heard([idOf(n % 10)]);
  await clock.advance(250);
  expect(messages).toBe(1);
});
