// What is asked of one process: joining, schedulers, log, profiles.
import { SteppeError } from "@steppe/model";
import { AutopilotConfiguration, type LogReplica, Member } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import type { AgentControls, LogLine, ServerControls } from "../needs.ts";
import { createWorld } from "../test-world.ts";

const server = (fields: Partial<ServerControls> = {}): Partial<AgentControls> => ({
  server: () => ({
    id: "s1",
    join: async (addresses) => ({ joined: addresses.length, error: "" }),
    forceLeave: () => undefined,
    schedulers: () => ({ count: 1, types: ["service"] }),
    setSchedulers: async () => undefined,
    ...fields,
  }),
});

const ask = (controls: Partial<AgentControls>, method: "GET" | "PUT" | "HEAD", url: string, payload?: string) =>
  createWorld({ controls }).app.inject({ method, url, ...(payload !== undefined && { payload }) });

describe("join and force-leave", () => {
  test("addresses, repeated, are all joined", async () => {
    const reply = await ask(server(), "PUT", "/v1/agent/join?address=a:1&address=b");
    expect(reply.json()).toEqual({ num_joined: 2, error: "" });
  });

  test("an agent that is no server: 501", async () => {
    for (const url of ["/v1/agent/join?address=a", "/v1/agent/force-leave?node=a", "/v1/agent/servers?address=a"]) {
      const reply = await ask({}, "PUT", url);
      expect([reply.statusCode, reply.body]).toEqual([501, "Invalid method"]);
    }
  });

  test("force-leave, passes name and prune on and answers nothing", async () => {
    const asked: unknown[] = [];
    const reply = await ask(
      server({ forceLeave: (...args) => void asked.push(args) }),
      "PUT",
      "/v1/agent/force-leave?node=b.eu&prune=1",
    );
    expect([reply.statusCode, reply.body, asked]).toEqual([200, "", [["b.eu", true]]]);
  });
});

describe("schedulers", () => {
  test("set, answers what is then", async () => {
    let settings = { count: 1, types: ["service"] as readonly string[] };
    const controls = server({
      schedulers: () => settings,
      setSchedulers: async (given) => {
        settings = given;
      },
    });
    const body = JSON.stringify({ num_schedulers: 3, enabled_schedulers: ["_core", "batch"] });
    const reply = await ask(controls, "PUT", "/v1/agent/schedulers/config", body);
    expect(reply.json()).toEqual({ server_id: "s1", num_schedulers: 3, enabled_schedulers: ["_core", "batch"] });
    expect(settings).toEqual({ count: 3, types: ["batch"] });
  });

  test.each([
    "",
    "{}",
    '{"num_schedulers":"a","enabled_schedulers":[]}',
    '{"num_schedulers":1,"enabled_schedulers":[1]}',
  ])("body %s: 400", async (body) => {
    expect((await ask(server(), "PUT", "/v1/agent/schedulers/config", body)).statusCode).toBe(400);
  });
});

describe("monitor", () => {
  const LINE: LogLine = {
    time: 1_700_000_000e9,
    level: "warn",
    message: "slow log",
    fields: { ms: 12, why: 'a "b"', who: "nats" },
  };
  const controls: Partial<AgentControls> = {
    monitor: async function* () {
      yield LINE;
    },
  };

  test("plain, a line of text", async () => {
    const reply = await ask(controls, "GET", "/v1/agent/monitor?plain=true");
    expect(reply.headers["content-type"]).toBe("text/plain");
    expect(reply.body).toBe('2023-11-14T22:13:20Z [WARN]  slow log: ms=12 why="a \\"b\\"" who=nats\n');
  });

  test("frames, base64 of a line, and of JSON when asked for", async () => {
    const reply = await ask(controls, "GET", "/v1/agent/monitor?log_json=true");
    const { Data } = JSON.parse(reply.body);
    expect(JSON.parse(Buffer.from(Data, "base64").toString())).toMatchObject({
      "@level": "warn",
      "@message": "slow log",
      ms: 12,
    });
  });

  test("of another server, a node, another region: asked there, and its pieces framed", async () => {
    const frames = async function* () {
      for (const text of ["", "line\n"]) yield { Data: Buffer.from(text) };
    };
    const answers = { serverCalls: { open: frames }, clientCalls: { open: frames } };
    const { app, calls } = createWorld({ controls, answers, others: ["eu"] });
    for (const query of ["server_id=other", "node_id=n1", "region=eu"]) {
      const reply = await app.inject({ url: `/v1/agent/monitor?log_level=warn&${query}` });
      expect(JSON.parse(reply.body)).toEqual({ Data: Buffer.from("line\n").toString("base64") });
    }
    expect(calls).toMatchObject([
      { method: "serverCalls.open", request: { Server: "other", Method: "agent.monitor" } },
      { method: "clientCalls.open", request: { NodeID: "n1", Arguments: '{"level":"warn","json":false}' } },
      { method: "serverCalls.open", region: "eu", request: { Server: "" } },
    ]);
  });
});

describe("profiles and host", () => {
  test("debugging off: 403", async () => {
    for (const url of ["/v1/agent/pprof/profile", "/v1/agent/host"]) {
      const reply = await ask({ debug: false }, "GET", url);
      expect([reply.statusCode, reply.body]).toEqual([403, "Permission denied"]);
    }
  });

  test.each([
    ["profile?seconds=3", ["cpu", 3]],
    ["heap", ["heap", 1]],
    ["allocs?seconds=x", ["heap", 1]],
    ["profile?seconds=99999", ["cpu", 300]],
  ])("%s", async (path, expected) => {
    const asked: unknown[] = [];
    const controls: Partial<AgentControls> = {
      profile: async (kind, seconds) => {
        asked.push(kind, seconds);
        return "{}";
      },
    };
    expect((await ask(controls, "GET", `/v1/agent/pprof/${path}`)).statusCode).toBe(200);
    expect(asked).toEqual(expected);
  });

  test("an unknown profile: 404", async () => {
    expect((await ask({}, "GET", "/v1/agent/pprof/goroutine")).statusCode).toBe(404);
  });
});

describe("leadership", () => {
  const members = ["a", "b"].map((name) =>
    Member.create({
      Name: `${name}.us`,
      ID: `id-${name}`,
      Region: "us",
      Address: "10.0.0.1",
      GrpcPort: 4647,
      Status: "alive",
    }),
  );

  test.each([
    ["", ""],
    ["?id=id-b", "b.us"],
    ["?id=b.us", "b.us"],
    ["?address=10.0.0.1:4647", "a.us"],
  ])("transfer%s, to %s", async (query, Successor) => {
    const { app, calls } = createWorld({
      members,
      answers: { operator: { transferLeadership: async () => ({ Index: 9 }) } },
    });
    const reply = await app.inject({ method: "PUT", url: `/v1/operator/raft/transfer-leadership${query}` });
    expect([reply.statusCode, reply.body, reply.headers["x-nomad-index"]]).toEqual([200, "", "9"]);
    expect(calls).toMatchObject([{ method: "operator.transferLeadership", request: { Successor } }]);
  });

  test("transfer to nobody that lives: 500 and nothing is asked of the region", async () => {
    const { app, calls } = createWorld({ members });
    const reply = await app.inject({ method: "PUT", url: "/v1/operator/raft/transfer-leadership?id=gone" });
    expect([reply.statusCode, reply.body]).toEqual([500, "no live server of region us has ID or address gone"]);
    expect(calls).toEqual([]);
  });
});

describe("autopilot", () => {
  const REPLICA = { Name: "n1", Leader: true, Current: true, Offline: false, Lag: 0, Active: 0 };
  const health = (status: string, Replicas: LogReplica[] = [REPLICA]) =>
    createWorld({
      members: [
        Member.create({ Name: "a.us", ID: "1", Region: "us", Address: "10.0.0.1", GrpcPort: 1, Status: "alive" }),
        Member.create({ Name: "b.us", ID: "2", Region: "us", Address: "10.0.0.2", GrpcPort: 1, Status: status }),
        Member.create({ Name: "c.eu", ID: "3", Region: "eu", Address: "10.0.0.3", GrpcPort: 1, Status: "failed" }),
      ],
      answers: {
        status: { leader: async () => ({ Address: "10.0.0.1:1" }) },
        operator: {
          log: async () => ({ Index: 9, Replicas }),
          getAutopilotConfiguration: async () => ({
            Config: AutopilotConfiguration.create({ MaxTrailingLogs: 250 }),
            Meta: undefined,
          }),
        },
      },
    }).app.inject("/v1/operator/autopilot/health");

  test("all servers of the region live: 200, with the leader", async () => {
    const reply = await health("alive");
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toMatchObject({ Healthy: true, FailureTolerance: 1, Leader: "1", Voters: ["1", "2"] });
  });

  test.each([
    { name: "offline", bad: { Offline: true, Current: false } },
    { name: "further behind than MaxTrailingLogs", bad: { Lag: 251 } },
  ])("a replica of the log is $name: 429, and no failure more is borne", async ({ bad }) => {
    const Replicas = [REPLICA, { ...REPLICA, Name: "n2" }, { ...REPLICA, Name: "n3", ...bad }];
    const reply = await health("alive", Replicas);
    expect(reply.statusCode).toBe(429);
    expect(reply.json()).toMatchObject({
      Healthy: false,
      FailureTolerance: 0,
      LogReplicas: [{}, {}, { Healthy: false }],
    });
    const well = await health("alive", [REPLICA, { ...REPLICA, Lag: 250 }, REPLICA]);
    expect([well.statusCode, well.json().FailureTolerance]).toEqual([200, 1]);
  });

  test("one failed: 429 with the same body", async () => {
    const reply = await health("failed");
    expect(reply.statusCode).toBe(429);
    expect(reply.json()).toMatchObject({
      Healthy: false,
      FailureTolerance: 0,
      Servers: [{ Healthy: true }, { Healthy: false }],
    });
  });

  test.each([
    ['{"LastContactThreshold":"500ms"}', 500e6],
    ['{"LastContactThreshold":7}', 7],
  ])("configuration %s, passed on in nanoseconds", async (payload, LastContactThreshold) => {
    const { app, calls } = createWorld({
      answers: { operator: { setAutopilotConfiguration: async () => ({ Updated: true, Index: 4 }) } },
    });
    const reply = await app.inject({ method: "PUT", url: "/v1/operator/autopilot/configuration?cas=3", payload });
    expect(reply.body).toBe("true");
    expect(calls[0]?.request).toMatchObject({ Config: { LastContactThreshold }, CheckIndex: true, ModifyIndex: 3 });
  });

  test.each(['{"LastContactThreshold":"soon"}', '{"MinQuorum":-1}', '{"CleanupDeadServers":3}', ""])(
    "configuration %s: 400",
    async (payload) => {
      const { app } = createWorld();
      const reply = await app.inject({ method: "PUT", url: "/v1/operator/autopilot/configuration", payload });
      expect(reply.statusCode).toBe(400);
    },
  );
});

test("an error of the process itself, is told", async () => {
  const reload = async () => {
    throw new SteppeError("invalid", "tls.cert_file cannot be read");
  };
  const reply = await ask({ reload }, "PUT", "/v1/agent/reload");
  expect([reply.statusCode, reply.body]).toEqual([400, "tls.cert_file cannot be read"]);
});
