import { SteppeError } from "@steppe/model";
import { AllocationUpdate } from "@steppe/proto";
import { beforeEach, expect, test } from "vitest";
import { ServerPool } from "./server-pool.ts";
import { AGENT_OUTBOX, oneByOne, StatusOutbox } from "./status-outbox.ts";
import { seededRandom, silent } from "./testing/fixtures.ts";
import { createServerDouble, type ServerDouble } from "./testing/server-double.ts";
import { createStepClock, type StepClock, settle } from "./testing/step-clock.ts";

let clock: StepClock;
let server: ServerDouble;
let outbox: StatusOutbox<AllocationUpdate>;

beforeEach(() => {
  clock = createStepClock();
  server = createServerDouble();
  const random = seededRandom();
  outbox = new StatusOutbox(
    new ServerPool(["a", "b"], server.connect, clock, random),
    [{ NodeID: "n", SecretID: "s" }],
    oneByOne,
    AGENT_OUTBOX,
    clock,
    random,
    silent,
  );
});

const update = (ID: string, ClientStatus: string) => AllocationUpdate.create({ ID, ClientStatus });
const failFirst = (n: number, error: Error) => {
  let left = n;
  server.intercept = () => {
    if (left-- > 0) throw error;
  };
};

test("outbox: gathers for 200 ms and keeps the newest of an allocation", async () => {
  outbox.add(update("x", "pending"));
  outbox.add(update("y", "pending"));
  outbox.add(update("x", "running"));
  await clock.advance(199);
  expect(server.requests).toEqual([]);
  await clock.advance(1);
  expect(server.requests.map((request) => request.Updates.map((u) => `${u.ID} ${u.ClientStatus}`))).toEqual([
    ["x running", "y pending"],
  ]);
});

test("outbox: 64 waiting, sent at once", async () => {
  for (let i = 0; i < 64; i++) outbox.add(update(String(i), "running"));
  await settle();
  expect(server.requests).toHaveLength(1);
});

test("outbox: unknown outcome, the same request ID again, by another server, until acknowledged", async () => {
  const addresses: string[] = [];
  let left = 3;
  server.intercept = (_method, address) => {
    addresses.push(address);
    if (left-- > 0) throw new Error("connection reset");
  };
  outbox.add(update("x", "running"));
  await clock.advance(200);
  outbox.add(update("x", "complete"));
  await clock.advance(20_000);
  const [first, second, third, fourth, last] = server.requests;
  expect(new Set([first, second, third, fourth].map((request) => request?.RequestID)).size).toBe(1);
  expect(new Set(addresses)).toEqual(new Set(["a", "b"]));
  expect(last?.RequestID).not.toBe(first?.RequestID);
  expect(server.updates.get("x")?.ClientStatus).toBe("complete");
  expect(outbox.size).toBe(0);
});

test("outbox: one update is refused, the others of its batch still arrive", async () => {
  server.intercept = () => {
    if (server.requests.at(-1)?.Updates.some((u) => u.ID === "bad")) throw new SteppeError("invalid", "bad");
  };
  for (const id of ["a", "b", "bad", "c"]) outbox.add(update(id, "running"));
  await clock.advance(200);
  expect([...server.updates.keys()].sort()).toEqual(["a", "b", "c"]);
  expect(outbox.size).toBe(0);
});

test("outbox: flushed resolves only when everything is acknowledged", async () => {
  failFirst(1, new Error("down"));
  outbox.add(update("x", "running"));
  let done = false;
  const flushed = outbox.flushed().then(() => {
    done = true;
  });
  await settle();
  expect(done).toBe(false);
  await clock.advance(1000);
  await flushed;
});

test("outbox of many nodes: a batch names those that it is about, also when it is sent again", async () => {
  const nodes = ["n1", "n2", "n3"].map((NodeID) => ({ NodeID, SecretID: `secret of ${NodeID}` }));
  const random = seededRandom();
  const pool = new ServerPool(["a", "b"], server.connect, clock, random);
  const many = new StatusOutbox(pool, nodes, oneByOne, AGENT_OUTBOX, clock, random, silent);
  failFirst(1, new Error("connection reset"));
  many.add(update("x", "running"), nodes[0]);
  many.add(update("y", "running"), nodes[2]);
  many.add(update("z", "running"), nodes[0]);
  await clock.advance(1_000);
  many.add(update("x", "complete"), nodes[0]);
  await clock.advance(1_000);
  const both = [nodes[0], nodes[2]];
  expect(server.requests.map(({ Nodes }) => Nodes)).toEqual([both, both, [nodes[0]]]);
});
