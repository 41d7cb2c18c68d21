// Real tasks on a real node agent: checks that rollouts wait for, actions and terminals, and how tasks are ended.
// Catches: a rollout that goes on over failing checks, a terminal that is none, a delay or a signal that is not kept.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

let cluster: Cluster;
let server: string;
/** The HTTP API of the node agent itself, which is no server. */
let node: string;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "steppe-tasks-"));
  cluster = await Cluster.create({ embedded: true });
  const region = await cluster.addRegion({ name: "eu", servers: 1, workers: 0, clients: 1 });
  server = region.servers[0]?.http ?? "";
  node = region.clients[0]?.http ?? "";
}, 120_000);

afterAll(async () => {
  await cluster.stopJobs();
  await cluster.close();
  rmSync(dir, { recursive: true });
});

const shell = (script: string) => ({ driver: "raw_exec", config: { command: "/bin/sh", args: ["-c", script] } });
async function register(job: object): Promise<void> {
  const { status, text } = await call("PUT", `${server}/v1/jobs`, { Job: job });
  expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining("EvalID") });
}
const running = (list: Json[]) => list.some((it) => it.ClientStatus === "running");

async function runningAllocation(id: string): Promise<string> {
  const { body } = await watchUntil<Json[]>(`${server}/v1/job/${id}/allocations`, running, 30_000);
  return body.find((it) => it.ClientStatus === "running").ID;
}

/** A web server that answers 200 while the file is there, else 503. */
function webJob(id: string, file: string, check: object, fields: { update?: object; restart?: object } = {}) {
  const source = `require("http").createServer((q, r) => {
    r.statusCode = require("fs").existsSync(${JSON.stringify(file)}) ? 200 : 503; r.end("status " + r.statusCode);
  }).listen(process.env.NOMAD_PORT_http)`;
  const job = mockTaskJob(id, {
    ...{ driver: "raw_exec", config: { command: process.execPath, args: ["-e", source] } },
    group: {
      Networks: [{ DynamicPorts: [{ Label: "http" }] }],
      Update: { MinHealthyTime: 500e6, HealthyDeadline: 60e9, ProgressDeadline: 90e9, ...fields.update },
      ...(fields.restart && { RestartPolicy: fields.restart }),
      Services: [
        {
          ...{ Name: "web", Provider: "nomad", PortLabel: "http" },
          Checks: [{ Name: "up", Type: "http", Path: "/", Interval: 1e9, Timeout: 1e9, ...check }],
        },
      ],
    },
  });
  return job;
}

describe("checks", () => {
  test("a rollout waits until they pass, then succeeds; the routes of checks tell", async () => {
    const file = join(dir, "web-is-up");
    await register(webJob("web", file, {}));
    const alloc = await runningAllocation("web");
    const failing = await eventually("the check has failed", 20_000, async () => {
      const { body } = await call("GET", `${server}/v1/client/allocation/${alloc}/checks`);
      expect(Object.values(body)).toMatchObject([{ Status: "failure", StatusCode: 503, Output: "status 503" }]);
      return body;
    });
    const [id = ""] = Object.keys(failing);
    expect(failing[id]).toMatchObject({
      ...{ ID: id, Check: "up", Service: "web", Group: "web.group[0]", Mode: "healthiness" },
      Timestamp: expect.any(Number),
    });
    expect((await call("GET", `${server}/v1/job/web/deployment`)).body).toMatchObject({
      Status: "running",
      TaskGroups: { group: { HealthyAllocs: 0 } },
    });
    writeFileSync(file, "");
    await watchUntil(`${server}/v1/job/web/deployment`, (it: Json) => it.Status === "successful", 30_000);
    const { body } = await call("GET", `${server}/v1/allocation/${alloc}/checks`);
    expect(body[id]).toMatchObject({ Status: "success", StatusCode: 200, Output: "nomad: http ok" });
  }, 90_000);

  test("those that never pass, fail the rollout; with on_update ignore they keep nothing waiting", async () => {
    const update = { HealthyDeadline: 2e9, ProgressDeadline: 6e9 };
    const never = join(dir, "never");
    await register(webJob("bad", never, {}, { update }));
    await register(webJob("lenient", never, { OnUpdate: "ignore" }));
    await watchUntil(`${server}/v1/job/lenient/deployment`, (it: Json) => it?.Status === "successful", 30_000);
    await watchUntil(`${server}/v1/job/bad/deployment`, (it: Json) => it?.Status === "failed", 30_000);
    const { body } = await call("GET", `${server}/v1/client/allocation/${await runningAllocation("lenient")}/checks`);
    expect(Object.values(body)).toMatchObject([{ Mode: "readiness", Status: "failure" }]);
  }, 90_000);

  test("failing too often, restart the task, and its events say why", async () => {
    const check = { CheckRestart: { Limit: 2, Grace: 1e9 } };
    const restart = { Attempts: 10, Interval: 600e9, Delay: 100e6, Mode: "delay" };
    await register(webJob("flappy", join(dir, "no"), check, { restart }));
    const alloc = await runningAllocation("flappy");
    const restarted = (it: Json) => it.TaskStates.task.Restarts > 0;
    const { body } = await watchUntil(`${server}/v1/allocation/${alloc}`, restarted, 30_000);
    const texts = body.TaskStates.task.Events.map((it: Json) => it.DisplayMessage);
    expect(texts).toContain('healthcheck: check "up" unhealthy');
  }, 60_000);
});

interface Session {
  readonly socket: WebSocket;
  text(): string;
  readonly closed: Promise<{ code: number; reason: string; exitCode?: number }>;
  send(message: object): void;
  type(text: string): void;
}

function open(path: string, params: Record<string, string>, through = server): Promise<Session> {
  const socket = new WebSocket(`${through.replace("http", "ws")}${path}?${new URLSearchParams(params)}`);
  let text = "";
  let exitCode: number | undefined;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data));
    text += Buffer.from(message.stdout?.data ?? "", "base64").toString();
    if (message.exited === true) exitCode = message.result.exit_code;
  };
  const closed = new Promise<{ code: number; reason: string; exitCode?: number }>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve({ code, reason, ...(exitCode !== undefined && { exitCode }) });
  });
  const send = (message: object) => socket.send(JSON.stringify(message));
  const type = (typed: string) => send({ stdin: { data: Buffer.from(typed).toString("base64") } });
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve({ socket, text: () => text, closed, send, type });
    socket.onerror = () => reject(new Error("no websocket"));
  });
}

describe("commands in a task", () => {
  let alloc: string;
  const ACTIONS = [
    { Name: "greet", Command: "/bin/sh", Args: ["-c", "echo hello from $NOMAD_TASK_NAME; exit 4"] },
    { Name: "term", Command: "/bin/sh", Args: ["-c", "tty && stty size"] },
  ];

  beforeAll(async () => {
    const job = mockTaskJob("acting/now", shell("sleep 600")) as Json;
    job.TaskGroups[0].Tasks[0].Actions = ACTIONS;
    await register(job);
    alloc = await runningAllocation("acting%2Fnow");
  }, 60_000);

  const act = (params: Record<string, string>) => open("/v1/job/acting%2Fnow/action", params);

  test("an action, runs what the job says and tells its output and status", async () => {
    const session = await act({ action: "greet", task: "task", group: "group", allocID: alloc });
    expect(await session.closed).toMatchObject({ code: 1000, exitCode: 4 });
    expect(session.text()).toBe("hello from task\n");
  });

  test("an action without an allocation, runs in one that has the task; with tty it has a terminal", async () => {
    const session = await act({ action: "term", task: "task", tty: "true" });
    expect(await session.closed).toMatchObject({ code: 1000, exitCode: 0 });
    expect(session.text()).toMatch(/^\/dev\/pts\/\d+\r\n24 80\r\n$/);
  });

  test.each([
    [{ action: "nope", task: "task" }, 4500, 'action "nope" not found in task "task"'],
    [{ action: "greet", task: "other" }, 4404, 'no running allocation of job "acting/now" has task "other"'],
    [{ action: "greet" }, 4400, "task name is required"],
    [{ task: "task" }, 4400, "action name is required"],
    [{ action: "greet", task: "task", tty: "maybe" }, 4400, 'tty value is not a boolean: "maybe"'],
  ])("an action %j, is refused", async (params, code, reason) => {
    const session = await act(params as Record<string, string>);
    expect(await session.closed).toMatchObject({ code, reason });
  });

  test("an allocation of another job, is refused", async () => {
    const session = await open("/v1/job/web/action", { action: "greet", task: "task", allocID: alloc });
    expect(await session.closed).toMatchObject({ code: 4500, reason: expect.stringContaining("is not of job") });
  });

  test("exec with tty, has a terminal that echoes, is resized and passes Ctrl-C on", async () => {
    const script =
      'trap "echo caught" INT; echo ready; while ! [ -e done ]; do read word || continue; eval "$word"; done';
    const command = JSON.stringify(["/bin/sh", "-c", script]);
    const session = await open(`/v1/client/allocation/${alloc}/exec`, { task: "task", command, tty: "true" });
    const shows = (part: string) =>
      eventually(`the terminal shows ${part}`, 20_000, async () => expect(session.text()).toContain(part));
    await shows("ready\r\n");
    session.type("stty size\n");
    // What was typed is shown, then what it gave.
    await shows("stty size\r\n24 80\r\n");
    session.send({ tty_size: { height: 40, width: 132 } });
    await eventually("the terminal has its new size", 20_000, async () => {
      session.type("stty size\n");
      expect(session.text()).toContain("40 132\r\n");
    });
    session.type("\u0003");
    await shows("caught\r\n");
    session.type("exit 9\n");
    expect(await session.closed).toMatchObject({ code: 1000, exitCode: 9 });
  }, 60_000);

  // The official CLI asks the node itself first.
  test("asked at the node agent's own address, are served alike", async () => {
    const command = JSON.stringify(["/bin/echo", "here"]);
    const session = await open(`/v1/client/allocation/${alloc}/exec`, { task: "task", command }, node);
    expect(await session.closed).toMatchObject({ code: 1000, exitCode: 0 });
    expect(session.text()).toBe("here\n");
    const action = { action: "greet", task: "task", allocID: alloc };
    expect(await (await open("/v1/job/acting%2Fnow/action", action, node)).closed).toMatchObject({ exitCode: 4 });
    for (const path of ["client/fs/ls/ALLOC?path=/", "client/allocation/ALLOC/stats", "allocation/ALLOC", "jobs"]) {
      const { status } = await call("GET", `${node}/v1/${path.replace("ALLOC", alloc)}`);
      expect([path, status]).toEqual([path, 200]);
    }
  });

  test("pausing, is of the paid edition", async () => {
    const path = `${server}/v1/client/allocation/${alloc}/pause`;
    expect(await call("GET", `${path}?task=task`)).toMatchObject({ status: 500, text: "Enterprise only" });
    expect(await call("POST", path, { Task: "task", ScheduleState: "pause" })).toMatchObject({ status: 500 });
  });
});

describe("how tasks are ended", () => {
  /** Writes when, in milliseconds, it caught which signal; ends on the second line's number of seconds. */
  const recording = (file: string, ends: string) =>
    shell(
      `for s in TERM INT USR1; do trap "date +%s%3N-$s >> ${file}; ${ends}" $s; done; while true; do sleep 0.05; done`,
    );

  async function stopped(id: string, query: string): Promise<{ events: string[]; ms: number }> {
    const alloc = await runningAllocation(id);
    const begin = performance.now();
    expect((await call("DELETE", `${server}/v1/job/${id}?${query}`)).status).toBe(200);
    const dead = (it: Json) => it.TaskStates.task.State === "dead";
    const { body } = await watchUntil(`${server}/v1/allocation/${alloc}`, dead, 30_000);
    const events = body.TaskStates.task.Events.map((it: Json) => it.DisplayMessage);
    return { events, ms: performance.now() - begin };
  }

  const withTask = (id: string, task: object, parts: ReturnType<typeof shell>, group: object = {}) => {
    const job = mockTaskJob(id, { ...parts }) as Json;
    Object.assign(job.TaskGroups[0].Tasks[0], task);
    Object.assign(job.TaskGroups[0], group);
    return job;
  };

  test("kill_signal and kill_timeout: the signal comes, and force after the timeout", async () => {
    const file = join(dir, "signals");
    await register(withTask("stubborn", { KillSignal: "SIGUSR1", KillTimeout: 1e9 }, recording(file, ":")));
    const { events, ms } = await stopped("stubborn", "");
    expect(ms).toBeGreaterThan(1000);
    expect(events).toEqual(
      expect.arrayContaining([
        "Sent interrupt. Waiting 1s before force killing",
        "Exit Code: 137, Signal: 9",
        "Task successfully killed",
      ]),
    );
    expect(readFileSync(file, "utf8")).toMatch(/^\d+-USR1\n$/);
  }, 60_000);

  test("a task that heeds its signal, ends at once with its own status", async () => {
    await register(withTask("heeding", { KillTimeout: 20e9 }, recording("/dev/null", "exit 3")));
    const { events, ms } = await stopped("heeding", "");
    expect(events).toContain("Exit Code: 3");
    expect(ms).toBeLessThan(15_000);
  }, 60_000);

  test("shutdown_delay of a task and of its group, are waited for before the signal", async () => {
    const delays = withTask("delayed", { ShutdownDelay: 1e9 }, recording("/dev/null", "exit 0"), {
      ShutdownDelay: 1e9,
    });
    await register(delays);
    const { events, ms } = await stopped("delayed", "");
    expect(ms).toBeGreaterThan(2000);
    expect(events).toContain("Waiting for shutdown_delay of 1s before killing the task.");
  }, 60_000);

  test("no_shutdown_delay on a stop, ends the task at once", async () => {
    const delays = withTask("hurried", { ShutdownDelay: 60e9 }, recording("/dev/null", "exit 0"), {
      ShutdownDelay: 60e9,
    });
    await register(delays);
    const { events } = await stopped("hurried", "no_shutdown_delay=true");
    expect(events.join()).not.toContain("shutdown_delay");
  }, 60_000);

  test("no_shutdown_delay on a purge, too; on the stop of an allocation, too", async () => {
    for (const [id, method, path] of [
      ["purged", "DELETE", (_: string) => "job/purged?purge=true&no_shutdown_delay=true"],
      ["moved", "PUT", (alloc: string) => `allocation/${alloc}/stop?no_shutdown_delay=true`],
    ] as const) {
      const file = join(dir, `${id}-caught`);
      const delay = { ShutdownDelay: 60e9 };
      await register(withTask(id, delay, recording(file, "exit 0"), delay));
      const alloc = await runningAllocation(id);
      expect((await call(method, `${server}/v1/${path(alloc)}`)).status).toBe(200);
      await eventually(`${id} has its signal`, 20_000, async () => expect(existsSync(file)).toBe(true));
      // What has come in its place would wait for its delay.
      await call("DELETE", `${server}/v1/job/${id}?purge=true&no_shutdown_delay=true`);
    }
  }, 90_000);
});
