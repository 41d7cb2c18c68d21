import { type Call, SteppeError } from "@steppe/model";
import { NodeAllocations, NodeHeartbeatRequest, NodeHeartbeatResponse, WatchAllocationsRequest } from "@steppe/proto";
import { afterEach, describe, expect, it } from "vitest";
import { connectNodeAgents } from "./node-agent-client.ts";
import type { NodeAgentsService } from "./region-services.ts";
import { Cleanup, call, clock, connect, deferred, REFUSING_PORT, serve } from "./testkit.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const unexpected = () => Promise.reject(new Error("unexpected call"));

async function agentOf(methods: Partial<NodeAgentsService>) {
  const nodeAgents: NodeAgentsService = {
    register: unexpected,
    heartbeat: unexpected,
    updateAllocations: unexpected,
    reportAllocations: unexpected,
    watchAllocations: async function* () {},
    answer: unexpected,
    takeRequests: async function* () {},
    ...methods,
  };
  const server = await serve(cleanup, { nodeAgents });
  return { server, agent: connectNodeAgents(`127.0.0.1:${server.port}`, "eu", connect(cleanup)) };
}

/** Index by index until the call ends, no faster than the consumer takes them. */
async function* counting(_: WatchAllocationsRequest, { signal }: Call) {
  for (let Index = 1; !signal.aborted; Index++)
    yield NodeAllocations.create({ Index, RemovedIDs: ["x".repeat(10_000)] });
}

const nodes = WatchAllocationsRequest.create({ Nodes: [{ NodeID: "n1", SecretID: "s1" }] });

describe("node agent client", () => {
  it("heartbeat, is answered", async () => {
    const { agent } = await agentOf({
      heartbeat: ({ Nodes }) =>
        Promise.resolve(NodeHeartbeatResponse.create({ UnknownNodeIDs: Nodes.map((it) => it.NodeID) })),
    });
    const request = NodeHeartbeatRequest.create({ Nodes: [{ NodeID: "n1", SecretID: "s1" }] });

    expect(await agent.heartbeat(request, call())).toMatchObject({ UnknownNodeIDs: ["n1"] });
  });

  it("watch whose consumer stops, ends on the server", async () => {
    const ended = deferred();
    const { agent } = await agentOf({
      async *watchAllocations(request, given) {
        try {
          yield* counting(request, given);
        } finally {
          ended.resolve();
        }
      },
    });
    const seen: number[] = [];
    for await (const { Index } of agent.watchAllocations(nodes, call())) if (seen.push(Index) === 100) break;

    expect(seen.slice(0, 3)).toEqual([1, 2, 3]);
    await ended.promise;
  });

  it("watch whose signal aborts while nothing comes, ends with the reason on both sides", async () => {
    const aborted = deferred();
    const { agent } = await agentOf({
      async *watchAllocations(_, { signal }) {
        yield NodeAllocations.create({ Full: true });
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        aborted.resolve();
      },
    });
    const stop = new AbortController();
    const consume = async () => {
      for await (const { Full } of agent.watchAllocations(nodes, stop)) if (Full) stop.abort(new Error("stopping"));
    };

    await expect(consume()).rejects.toThrow("stopping");
    await aborted.promise;
  });

  it("slow consumer, holds the server back", async () => {
    let made = 0;
    const { agent } = await agentOf({
      async *watchAllocations(request, given) {
        for await (const message of counting(request, given)) {
          made += 1;
          yield message;
        }
      },
    });
    const watch = agent.watchAllocations(nodes, call())[Symbol.asyncIterator]();
    await watch.next();
    // Stands still once all buffers on the way are full.
    for (let before = -1; before !== made; ) {
      before = made;
      await clock.after(100);
    }

    expect(made).toBeLessThan(2_000);
    await watch.return?.();
  });

  it("watch that the server refuses, rejects with its error", async () => {
    const { agent } = await agentOf({
      // biome-ignore lint/correctness/useYield: it fails before it has anything to give
      async *watchAllocations() {
        throw new SteppeError("permission-denied", "node secret does not match");
      },
    });
    const first = agent.watchAllocations(nodes, call())[Symbol.asyncIterator]().next();

    await expect(first).rejects.toMatchObject({ code: "permission-denied", message: "node secret does not match" });
  });

  it("server that closes, ends the watch as a transport failure at once", async () => {
    const { agent, server } = await agentOf({
      async *watchAllocations(_, { signal }) {
        yield NodeAllocations.create({ Full: true });
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      },
    });
    const watch = agent.watchAllocations(nodes, call())[Symbol.asyncIterator]();
    await watch.next();
    const next = expect(watch.next()).rejects.toMatchObject({ name: "TransportFailure", kind: "lost" });
    await server.close(60_000);

    await next;
  });

  it("no server, calls and watches fail as refused", async () => {
    const agent = connectNodeAgents(`127.0.0.1:${REFUSING_PORT}`, "eu", connect(cleanup));
    const refused = { name: "TransportFailure", kind: "refused", reached: false };

    await expect(agent.heartbeat(NodeHeartbeatRequest.create({}), call())).rejects.toMatchObject(refused);
    const first = agent.watchAllocations(nodes, call())[Symbol.asyncIterator]().next();
    await expect(first).rejects.toMatchObject(refused);
  });
});
