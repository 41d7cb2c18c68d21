import type { Call } from "@steppe/model";
import { SteppeError } from "@steppe/model";
import {
  JobEvaluateRequest,
  JobGetRequest,
  JobGetResponse,
  JobListRequest,
  JobListResponse,
  JobRegisterRequest,
  JobRegisterResponse,
  StatusLeaderResponse,
  StatusRequest,
} from "@steppe/proto";
import { afterEach, describe, expect, it } from "vitest";
import { routedServices } from "./routed-services.ts";
import {
  Cleanup,
  call,
  caller,
  deferred,
  freezableProxy,
  listenTcp,
  REFUSING_PORT,
  SteppedClock,
  serve,
  services,
} from "./testkit.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const getWeb = JobGetRequest.create({ JobID: "web" });
const answer = (Index: number) => Promise.resolve(JobGetResponse.create({ Meta: { Index } }));
const blocking = JobGetRequest.create({ JobID: "web", Query: { MinQueryIndex: 7, MaxQueryTime: 60e9 } });

/** A server of region eu that answers GET job with this index. */
const answering = (Index: number) => serve(cleanup, { region: services({ "jobs.get": () => answer(Index) }) });

describe("region forward, request", () => {
  it("own region, is the local services themselves", () => {
    const local = services({});
    const { router } = caller(cleanup, [], { local });

    for (const region of ["", "us", "global"]) expect(router.route(region)).toBe(local);
  });

  it("read for another region, arrives there with region, hop mark and what the client asked", async () => {
    const seen = deferred<JobGetRequest>();
    const get = (request: JobGetRequest) => {
      seen.resolve(request);
      return Promise.resolve(JobGetResponse.create({ Job: { ID: "web", Name: "größer" }, Meta: { Index: 12 } }));
    };
    const server = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const request = JobGetRequest.create({ JobID: "web", Query: { Namespace: "prod", AllowStale: true } });
    const response = await caller(cleanup, [server.port]).router.route("eu").jobs.get(request, call());

    expect(response).toMatchObject({ Job: { ID: "web", Name: "größer" }, Meta: { Index: 12 } });
    const query = { Namespace: "prod", AllowStale: true, Region: "eu", Forwarded: true };
    expect(await seen.promise).toMatchObject({ JobID: "web", Query: query });
    expect(request.Query).toMatchObject({ Region: "", Forwarded: false });
  });

  it("status, arrives with region and hop mark", async () => {
    const leader = ({ Region, Forwarded }: StatusRequest) =>
      Promise.resolve(StatusLeaderResponse.create({ Address: `${Region} ${Forwarded}` }));
    const server = await serve(cleanup, { region: services({ "status.leader": leader }) });
    const { router } = caller(cleanup, [server.port]);

    expect(await router.route("eu").status.leader(StatusRequest.create({}), call())).toEqual({ Address: "eu true" });
  });

  it.each([
    ["without a request ID, gets one", "", /^[0-9a-f-]{36}$/],
    ["with a request ID, keeps it", "the-clients-own", /^the-clients-own$/],
  ])("write %s", async (_, RequestID, expected) => {
    const evaluate = ({ Write }: JobEvaluateRequest) =>
      Promise.resolve(JobRegisterResponse.create({ EvalID: Write?.RequestID ?? "" }));
    const server = await serve(cleanup, { region: services({ "jobs.evaluate": evaluate }) });
    const { router } = caller(cleanup, [server.port]);
    const request = JobEvaluateRequest.create({ JobID: "web", Write: { RequestID } });

    expect((await router.route("eu").jobs.evaluate(request, call())).EvalID).toMatch(expected);
  });

  it("forwarded request that reaches a server of a third region, goes no further", async () => {
    const third = caller(cleanup, [(await answering(1)).port]).router;
    const server = await serve(cleanup, { region: routedServices(third) });
    const { router } = caller(cleanup, [server.port]);
    const direct = JobGetRequest.create({ JobID: "web", Query: { Region: "eu" } });

    // The same server forwards what comes to it first hand.
    expect(await routedServices(third).jobs.get(direct, call())).toMatchObject({ Meta: { Index: 1 } });
    await expect(router.route("eu").jobs.get(getWeb, call())).rejects.toMatchObject({ code: "no-path-to-region" });
  });

  it("message of many megabytes, crosses whole", async () => {
    const Jobs = Array.from({ length: 40_000 }, (_, index) => ({ ID: `job-${index}`, Name: "x".repeat(300) }));
    const list = () => Promise.resolve(JobListResponse.create({ Jobs }));
    const server = await serve(cleanup, { region: services({ "jobs.list": list }) });
    const { router } = caller(cleanup, [server.port]);
    const response = await router.route("eu").jobs.list(JobListRequest.create({}), call());

    expect(response.Jobs).toHaveLength(40_000);
    expect(response.Jobs.at(-1)?.ID).toBe("job-39999");
  });
});

describe("region forward, time", () => {
  it("blocking read, is held longer than any other call may take", async () => {
    const held = deferred();
    const entered = deferred<number>();
    const get = async (_: JobGetRequest, { timeoutMs }: Call) => {
      entered.resolve(timeoutMs);
      await held.promise;
      return answer(8);
    };
    const server = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const { router } = caller(cleanup, [server.port]);
    const response = router.route("eu").jobs.get(blocking, call({ timeoutMs: 50 }));

    // Time for the work itself is what the caller gave; the wait comes on top.
    expect(await entered.promise).toBeLessThanOrEqual(51);
    await new Promise((resolve) => setTimeout(resolve, 200));
    held.resolve();
    expect(await response).toMatchObject({ Meta: { Index: 8 } });
  });

  it("client that goes away, aborts the call on the far side", async () => {
    const entered = deferred();
    const aborted = deferred();
    const get = (_: JobGetRequest, { signal }: Call) =>
      new Promise<JobGetResponse>((_, reject) => {
        entered.resolve();
        signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(signal.reason);
        });
      });
    const server = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const { router } = caller(cleanup, [server.port]);
    const client = new AbortController();
    const response = router.route("eu").jobs.get(blocking, call({ signal: client.signal }));
    await entered.promise;
    client.abort(new Error("client gone"));

    await expect(response).rejects.toThrow("client gone");
    await aborted.promise;
  });

  it("server that is slow but lives, ends in a timeout and is not avoided", async () => {
    const get = (_: JobGetRequest, { signal }: Call) =>
      new Promise<JobGetResponse>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const server = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const { router, directory } = caller(cleanup, [server.port]);

    const failure = router.route("eu").jobs.get(getWeb, call({ timeoutMs: 100 }));
    await expect(failure).rejects.toMatchObject({ code: "timeout" });
    expect(directory.members(0).map((it) => it.Status)).toEqual(["alive", "alive"]);
  });

  it("server that takes connections but never answers, fails within 5 s and then at once", async () => {
    const clock = new SteppedClock();
    const { router, directory } = caller(cleanup, [await listenTcp(cleanup, () => {})], { time: clock });
    const first = router.route("eu").jobs.get(getWeb, call());
    const failed = expect(first).rejects.toMatchObject({ code: "no-path-to-region", message: "No path to region" });
    await clock.advance(4_900);
    await failed;

    await expect(router.route("eu").jobs.get(getWeb, call())).rejects.toMatchObject({ code: "no-path-to-region" });
    expect(directory.regions(clock.monotonicMs())).toEqual(["us"]);
  });

  it("all three servers of a region gone without a word, fails within 2 s: they are tried together", async () => {
    const clock = new SteppedClock();
    const silent = () => listenTcp(cleanup, () => {});
    const { router } = caller(cleanup, [await silent(), await silent(), await silent()], { time: clock });
    const failed = expect(router.route("eu").jobs.get(getWeb, call())).rejects.toMatchObject({
      code: "no-path-to-region",
    });
    await clock.advance(2_000);

    await failed;
  });

  it("all three servers of a region hang under a call, fails within 5 s", async () => {
    const clock = new SteppedClock();
    const entered = deferred();
    const get = () => {
      entered.resolve();
      return new Promise<JobGetResponse>(() => {});
    };
    const hanging = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const proxy = await freezableProxy(cleanup, hanging.port);
    const silent = () => listenTcp(cleanup, () => {});
    const { router } = caller(cleanup, [proxy.port, await silent(), await silent()], { time: clock });
    const failed = expect(router.route("eu").jobs.get(getWeb, call())).rejects.toMatchObject({
      code: "no-path-to-region",
    });
    await entered.promise;
    proxy.freeze();
    await clock.advance(4_900);

    await failed;
  });

  it("server that hangs under a blocking read, is left for the next one", async () => {
    const clock = new SteppedClock();
    const entered = deferred();
    const get = () => {
      entered.resolve();
      return new Promise<JobGetResponse>(() => {});
    };
    const hanging = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const proxy = await freezableProxy(cleanup, hanging.port);
    const { router } = caller(cleanup, [proxy.port, (await answering(9)).port], { time: clock });
    const response = router.route("eu").jobs.get(blocking, call());
    await entered.promise;
    proxy.freeze();
    await clock.advance(4_000);

    expect(await response).toMatchObject({ Meta: { Index: 9 } });
  });

  it("write to servers that all hang, fails within 5 s with its outcome unknown", async () => {
    const clock = new SteppedClock();
    const entered = deferred();
    const evaluate = () => {
      entered.resolve();
      return new Promise<JobRegisterResponse>(() => {});
    };
    const hanging = await serve(cleanup, { region: services({ "jobs.evaluate": evaluate }) });
    const proxy = await freezableProxy(cleanup, hanging.port);
    const ports = [proxy.port, await listenTcp(cleanup, () => {})];
    const { router } = caller(cleanup, ports, { time: clock });
    const failed = expect(
      router.route("eu").jobs.evaluate(JobEvaluateRequest.create({ JobID: "web" }), call()),
    ).rejects.toMatchObject({ code: "outcome-unknown" });
    await entered.promise;
    proxy.freeze();
    await clock.advance(5_000);

    await failed;
  });
});

describe("region forward, failing servers", () => {
  it("unknown region, no path", async () => {
    const { router } = caller(cleanup, []);

    const failure = router.route("mars").jobs.get(getWeb, call());
    await expect(failure).rejects.toMatchObject({ code: "no-path-to-region", message: "No path to region" });
  });

  it("first server refuses connections, the second answers and is asked first from then on", async () => {
    const server = await answering(3);
    const { router, directory } = caller(cleanup, [REFUSING_PORT, server.port]);
    for (let round = 0; round < 3; round++) {
      expect(await router.route("eu").jobs.get(getWeb, call())).toMatchObject({ Meta: { Index: 3 } });
    }

    expect(directory.servers("eu", 0).map(({ name, alive }) => [name, alive])).toEqual([
      ["eu-2.eu", true],
      ["eu-1.eu", false],
    ]);
  });

  it("only server refuses connections, no path in milliseconds", async () => {
    const { router } = caller(cleanup, [REFUSING_PORT]);
    const started = performance.now();

    await expect(router.route("eu").jobs.get(getWeb, call())).rejects.toMatchObject({ code: "no-path-to-region" });
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("server that dies with a write in hand, the next one gets the same request ID", async () => {
    const seen: (string | undefined)[] = [];
    const arrived = deferred();
    const first = await serve(cleanup, {
      region: services({
        "jobs.register": ({ Write }: JobRegisterRequest) => {
          seen.push(Write?.RequestID);
          arrived.resolve();
          return new Promise<object>(() => {});
        },
      }),
    });
    const second = await serve(cleanup, {
      region: services({
        "jobs.register": ({ Write }: JobRegisterRequest) => {
          seen.push(Write?.RequestID);
          return Promise.resolve(JobRegisterResponse.create({ EvalID: "e1" }));
        },
      }),
    });
    const { router } = caller(cleanup, [first.port, second.port]);
    const response = router.route("eu").jobs.register(JobRegisterRequest.create({ Job: { ID: "web" } }), call());
    await arrived.promise;
    await first.close(0);

    expect(await response).toMatchObject({ EvalID: "e1" });
    expect(seen[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen).toEqual([seen[0], seen[0]]);
  });

  it.each([
    [
      "write, outcome unknown with advice",
      "evaluate",
      "outcome-unknown",
      /may or may not have taken effect.*Idempotency-Key is safe/,
    ],
    ["read, no path", "get", "no-path-to-region", /^No path to region$/],
  ] as const)("every server dies with a %s", async (_, method, code, message) => {
    const server: { close?: () => Promise<void> } = {};
    const die = async () => {
      void server.close?.();
      return new Promise<object>(() => {});
    };
    const { port, close } = await serve(cleanup, { region: services({ "jobs.evaluate": die, "jobs.get": die }) });
    server.close = () => close(0);
    const { jobs } = caller(cleanup, [port]).router.route("eu");
    const failure =
      method === "get" ? jobs.get(getWeb, call()) : jobs.evaluate(JobEvaluateRequest.create({ JobID: "web" }), call());

    await expect(failure).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("write whose retry finds no quorum, outcome unknown, as the first try may have been taken", async () => {
    const dying: { close?: () => Promise<void> } = {};
    const first = await serve(cleanup, {
      region: services({
        "jobs.evaluate": () => {
          void dying.close?.();
          return new Promise<object>(() => {});
        },
      }),
    });
    dying.close = () => first.close(0);
    const refuse = () => Promise.reject(new SteppeError("no-quorum", "log takes no writes"));
    const second = await serve(cleanup, { region: services({ "jobs.evaluate": refuse }) });
    const { router } = caller(cleanup, [first.port, second.port]);

    const failure = router.route("eu").jobs.evaluate(JobEvaluateRequest.create({ JobID: "web" }), call());
    await expect(failure).rejects.toMatchObject({ code: "outcome-unknown" });
  });

  it("server cut off from its log, the next one gets the same request ID and is asked first from then on", async () => {
    const seen: string[] = [];
    const refuse = ({ Write }: JobRegisterRequest) => {
      seen.push(`cut off ${Write?.RequestID}`);
      return Promise.reject(new SteppeError("no-quorum", "No cluster leader"));
    };
    const take = ({ Write }: JobRegisterRequest) => {
      seen.push(`in touch ${Write?.RequestID}`);
      return Promise.resolve(JobRegisterResponse.create({ EvalID: "e1" }));
    };
    const first = await serve(cleanup, { region: services({ "jobs.register": refuse }) });
    const second = await serve(cleanup, { region: services({ "jobs.register": take }) });
    const { router } = caller(cleanup, [first.port, second.port]);
    const register = (RequestID: string) =>
      router.route("eu").jobs.register(JobRegisterRequest.create({ Write: { RequestID }, Job: { ID: "web" } }), call());

    expect(await register("a")).toMatchObject({ EvalID: "e1" });
    await register("b");
    expect(seen).toEqual(["cut off a", "in touch a", "in touch b"]);
  });

  it("all servers cut off from their log, no leader in milliseconds", async () => {
    const refuse = () => Promise.reject(new SteppeError("no-quorum", "No cluster leader"));
    const ports = await Promise.all(
      [1, 2].map(async () => (await serve(cleanup, { region: services({ "jobs.get": refuse }) })).port),
    );
    const { router } = caller(cleanup, ports);
    const started = performance.now();

    await expect(router.route("eu").jobs.get(getWeb, call())).rejects.toMatchObject({ code: "no-leader" });
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("server that closes, sends its blocking reads to the next one at once", async () => {
    const entered = deferred();
    const get = (_: JobGetRequest, { signal }: Call) =>
      new Promise<JobGetResponse>((_, reject) => {
        entered.resolve();
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    const first = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const { router } = caller(cleanup, [first.port, (await answering(4)).port]);
    const response = router.route("eu").jobs.get(blocking, call());
    await entered.promise;
    await first.close(60_000);

    expect(await response).toMatchObject({ Meta: { Index: 4 } });
  });

  it("connection cut between two calls, the next call makes a new one", async () => {
    const server = await answering(5);
    const cut = deferred<() => void>();
    const { createConnection } = await import("node:net");
    const port = await listenTcp(cleanup, (near) => {
      const far = createConnection({ host: "127.0.0.1", port: server.port });
      near.pipe(far).pipe(near);
      cut.resolve(() => void near.destroy());
    });
    const { router } = caller(cleanup, [port]);
    await router.route("eu").jobs.get(getWeb, call());
    (await cut.promise)();

    expect(await router.route("eu").jobs.get(getWeb, call())).toMatchObject({ Meta: { Index: 5 } });
  });
});
