// What users ask of a node agent: files, output, statistics, signals and restarts of an allocation, through a server
// that the node is not connected to, and from another region. Catches: a request that only the node's own server
// answers, a path that leads out of the allocation's directory, an agent that hangs on a reader that went away.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

let cluster: Cluster;
/** Both servers of the region, and one of another region. */
let through: string[];
let alloc: string;
let node: string;

const SCRIPT = `
echo first; echo oops >&2
trap 'echo caught' USR1
while true; do sleep 0.1; done
`;

const running = (list: Json[]) => list.length > 0 && list.every((it) => it.ClientStatus === "running");

beforeAll(async () => {
  cluster = await Cluster.create();
  const eu = await cluster.addRegion({ name: "eu", servers: 2, workers: 1, clients: 1 });
  const us = await cluster.addRegion({ name: "us", servers: 1, workers: 0, clients: 0 });
  through = [...eu.servers, ...us.servers].map(({ http }) => http);
  const [server] = through;
  const config = { command: "/bin/sh", args: ["-c", SCRIPT] };
  await call("PUT", `${server}/v1/jobs`, { Job: mockTaskJob("talker", { driver: "raw_exec", config }) });
  const { body } = await watchUntil<Json[]>(`${server}/v1/job/talker/allocations`, running, 30_000);
  [{ ID: alloc, NodeID: node }] = body;
  await eventually("the other region is known", 20_000, async () => {
    expect((await call("GET", `${through.at(-1)}/v1/jobs?region=eu`)).status).toBe(200);
  });
}, 180_000);

afterAll(async () => {
  await cluster.stopJobs();
  await cluster.close();
});

const get = (server: string, path: string) =>
  call("GET", `${server}/v1/client/${path}${path.includes("?") ? "&" : "?"}region=eu`);
const put = (server: string, path: string, body?: object) => call("PUT", `${server}/v1/client/${path}?region=eu`, body);

/** The first line of an agent's log, as far as it comes, that matches; asked of it through `server`. */
async function logLine(
  server: string,
  query: string,
  pattern: RegExp,
  provoke: () => Promise<unknown>,
): Promise<string> {
  const leaving = new AbortController();
  const url = `${server}/v1/agent/monitor?plain=true&log_level=debug&region=eu${query}`;
  const response = await fetch(url, { signal: leaving.signal });
  expect(response.status).toBe(200);
  await provoke();
  let text = "";
  try {
    for await (const piece of response.body ?? []) {
      text += Buffer.from(piece).toString();
      const found = pattern.exec(text);
      if (found !== null) return found[0];
    }
  } finally {
    leaving.abort();
  }
  throw new Error(`the stream ended with: ${text}`);
}

describe("an agent's log, host and members, through every server", () => {
  test("monitor of a node, and of a server by name, from wherever, has the line that the agent logs then", async () => {
    const { servers, clients } = cluster.region("eu");
    const asked = [{ http: clients[0]?.http, query: `node_id=${node}` }];
    for (const { http } of servers) {
      const { body: self } = await call<Json>("GET", `${http}/v1/agent/self`);
      asked.push({ http, query: `server_id=${self.member.Name}` });
    }
    for (const server of through) {
      for (const { http, query } of asked) {
        const reload = () => call("PUT", `${http}/v1/agent/reload`);
        expect(await logLine(server, `&${query}`, /\[INFO\] +configuration read again/, reload)).toBeTruthy();
      }
    }
  });

  test("monitor of a server that is not there: 404", async () => {
    for (const server of through) {
      const { status, body } = await call("GET", `${server}/v1/agent/monitor?region=eu&server_id=nobody`);
      expect([status, body]).toEqual([404, "unknown Nomad server nobody"]);
    }
  });

  test("an agent that is only a client, tells members and regions as its server does", async () => {
    const [client] = cluster.region("eu").clients;
    const { status, body } = await call<Json>("GET", `${client?.http}/v1/agent/members`);
    expect(status).toBe(200);
    expect(body.Members.map((it: Json) => it.Tags.region)).toEqual(expect.arrayContaining(["eu", "us"]));
    expect((await call("GET", `${client?.http}/v1/regions`)).body).toEqual(["eu", "us"]);
  });
});

describe("requests to a node, through every server", () => {
  test("files: listed, described, read in whole and in part", async () => {
    for (const server of through) {
      const list = (await get(server, `fs/ls/${alloc}?path=/`)).body;
      expect(list.map((it: Json) => it.Name)).toEqual(expect.arrayContaining(["alloc", "task"]));
      const file = "alloc/logs/task.stdout.0";
      const stat = (await get(server, `fs/stat/${alloc}?path=${file}`)).body;
      expect(stat).toMatchObject({ Name: "task.stdout.0", IsDir: false, FileMode: expect.stringMatching(/^-rw/) });
      expect((await get(server, `fs/cat/${alloc}?path=${file}`)).body).toMatch(/^first\n/);
      expect((await get(server, `fs/readat/${alloc}?path=${file}&offset=1&limit=3`)).body).toBe("irs");
    }
  });

  test("output: whole, from its end, framed, and as it comes", async () => {
    for (const [earlier, server] of through.entries()) {
      const logs = `fs/logs/${alloc}?task=task&type=stdout`;
      expect((await get(server, `${logs}&plain=true`)).body).toMatch(/^first\n/);
      expect((await get(server, `fs/logs/${alloc}?task=task&type=stderr&plain=true`)).body).toMatch(/^oops\n/);
      const frame = (await get(server, `${logs}&origin=end&offset=1000`)).body;
      expect(frame).toMatchObject({ File: "alloc/logs/task.stdout.0" });
      expect(Buffer.from(frame.Data, "base64").toString()).toMatch(/first/);
      const leaving = new AbortController();
      const response = await fetch(`${server}/v1/client/${logs}&plain=true&follow=true&region=eu`, {
        signal: leaving.signal,
      });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      expect((await put(server, `allocation/${alloc}/signal`, { Signal: "SIGUSR1", Task: "task" })).status).toBe(200);
      let text = "";
      while (text.split("caught").length - 1 <= earlier) {
        const { value, done } = await reader.read();
        expect({ done, text }).toEqual({ done: false, text });
        text += Buffer.from(value ?? []).toString();
      }
      leaving.abort();
    }
  });

  test("statistics of the node and of the allocation", async () => {
    for (const server of through) {
      const host = (await get(server, `stats?node_id=${node}`)).body;
      expect(host).toMatchObject({ Memory: { Total: expect.any(Number) }, CPU: expect.any(Array) });
      const { body } = await get(server, `allocation/${alloc}/stats`);
      expect(body.Tasks.task.ResourceUsage.MemoryStats.RSS).toBeGreaterThan(0);
    }
  });

  test("restart: the task runs on as another process, and its events tell", async () => {
    const [server = ""] = through;
    const before = (await call("GET", `${server}/v1/allocation/${alloc}`)).body.TaskStates.task;
    expect((await put(through.at(-1) ?? "", `allocation/${alloc}/restart`, { TaskName: "task" })).status).toBe(200);
    const again = (it: Json) => it.TaskStates.task.State === "running" && it.TaskStates.task.Restarts > before.Restarts;
    const { body } = await watchUntil(`${server}/v1/allocation/${alloc}`, again, 20_000);
    const types = body.TaskStates.task.Events.map((it: Json) => it.Type);
    expect(types).toEqual(expect.arrayContaining(["Restart Signaled", "Restarting", "Started"]));
    expect(body.TaskStates.task.Failed).toBe(false);
  });

  test("metadata: set while the agent runs, seen by all, taken away again", async () => {
    const [server = ""] = through;
    const set = (Meta: object) => call("POST", `${server}/v1/client/metadata?node_id=${node}`, { Meta });
    expect((await set({ rack: "r1" })).body).toMatchObject({ Dynamic: { rack: "r1" }, Meta: { rack: "r1" } });
    const seen = (value: unknown) => (it: Json) => it.Meta?.rack === value;
    await watchUntil(`${server}/v1/node/${node}`, seen("r1"), 10_000);
    await set({ rack: null });
    await watchUntil(`${server}/v1/node/${node}`, seen(undefined), 10_000);
  });

  test("exec: input goes in, output and the exit status come out", async () => {
    for (const server of through) {
      const echoed = await exec(server, ["/bin/cat"], "hello\n");
      expect(echoed).toMatchObject({ stdout: "hello\n", exitCode: 0, closed: 1000 });
      const failed = await exec(server, ["/bin/sh", "-c", "echo bad >&2; pwd; exit 3"]);
      expect(failed).toMatchObject({ stderr: "bad\n", stdout: expect.stringMatching(/\/task\n$/), exitCode: 3 });
      expect(await exec(server, ["/bin/true"], undefined, "nope")).toMatchObject({
        closed: 4500,
        reason: "Could not find task runner for task: nope",
      });
    }
  });

  const refused: [string, () => string, number, string | RegExp][] = [
    ["an unknown allocation", () => "fs/ls/00000000-0000-0000-0000-000000000000", 404, /^Unknown allocation /],
    ["an unknown node", () => "stats?node_id=00000000-0000-0000-0000-000000000000", 404, /^Unknown node /],
    ["no node", () => "stats", 400, "No local Node and node_id not provided"],
    [
      "a path that leads out",
      () => `fs/cat/${alloc}?path=../../../etc/passwd`,
      400,
      "Path escapes the alloc directory",
    ],
    ["a secret", () => `fs/ls/${alloc}?path=task/secrets`, 400, /^Reading secret file prohibited/],
    ["a file that is not there", () => `fs/cat/${alloc}?path=nope`, 400, "stat nope: no such file or directory"],
    ["a folder to read", () => `fs/cat/${alloc}?path=alloc`, 400, 'file "alloc" is a directory'],
    ["no file", () => `fs/cat/${alloc}`, 400, "must provide a file name"],
    ["no task", () => `fs/logs/${alloc}?type=stdout`, 400, "must provide task name"],
    ["an unknown task", () => `fs/logs/${alloc}?task=x&type=stdout`, 400, 'unknown task name "x"'],
    ["an unknown type", () => `fs/logs/${alloc}?task=task&type=x`, 400, "must provide log type (stdout/stderr)"],
    ["an unknown origin", () => `fs/logs/${alloc}?task=task&type=stdout&origin=x`, 400, "origin must be start or end"],
  ];
  test.each(refused)("%s, refused alike everywhere", async (_case, path, status, text) => {
    for (const server of through) {
      const { body, status: got } = await get(server, path());
      expect({ got, body }).toEqual({
        got: status,
        body: typeof text === "string" ? text : expect.stringMatching(text),
      });
    }
  });

  test("a node whose agent has gone: 404", async () => {
    const [client] = cluster.region("eu").clients;
    await cluster.stopJobs();
    await client?.stop();
    for (const server of through) {
      await eventually("the stream is seen to end", 20_000, async () => {
        const { status, body } = await get(server, `fs/ls/${alloc}`);
        expect([status, body]).toEqual([404, "No path to node"]);
      });
    }
  });
});

interface Executed {
  stdout: string;
  stderr: string;
  exitCode?: number;
  closed?: number;
  reason?: string;
}

/** Runs a command in the task over a websocket, as the official CLI does. */
function exec(server: string, command: readonly string[], input?: string, task = "task"): Promise<Executed> {
  const query = `task=${task}&command=${encodeURIComponent(JSON.stringify(command))}&tty=false&ws_handshake=true&region=eu`;
  const socket = new WebSocket(`${server.replace("http", "ws")}/v1/client/allocation/${alloc}/exec?${query}`);
  const got: Executed = { stdout: "", stderr: "" };
  socket.onopen = () => {
    socket.send(JSON.stringify({ version: 1, auth_token: "" }));
    if (input === undefined) return;
    socket.send(JSON.stringify({ stdin: { data: Buffer.from(input).toString("base64") } }));
    socket.send(JSON.stringify({ stdin: { close: true } }));
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data));
    for (const stream of ["stdout", "stderr"] as const) {
      const piece = message[stream]?.data;
      if (piece !== undefined) got[stream] += Buffer.from(piece, "base64").toString();
    }
    if (message.exited === true) got.exitCode = message.result.exit_code;
  };
  return new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ ...got, closed: code, reason });
  });
}
