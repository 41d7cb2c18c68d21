import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Call } from "@steppe/model";
import {
  Job,
  type JobGetRequest,
  JobGetResponse,
  type JobRegisterRequest,
  JobRegisterResponse,
  JobsDefinition,
} from "@steppe/proto";
import { afterEach, describe, expect, it } from "vitest";
import { MESSAGE_BYTES_MAX } from "./frames.ts";
import { grpcJsDefinition, grpcMethods } from "./grpc-definition.ts";
import { Cleanup, call, connect, deferred, serve, services } from "./testkit.ts";

const { get: GET, register: REGISTER } = grpcMethods(JobsDefinition);

describe("unary calls over one stream", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  const channelTo = (port: number) => connect(cleanup).to(`127.0.0.1:${port}`, undefined);
  const job = (ID: string, bytes = 0) => JobGetResponse.create({ Job: Job.create({ ID, Name: "x".repeat(bytes) }) });
  const asked = (JobID: string): JobGetRequest => ({ Query: undefined, JobID });

  it("answers of many sizes that come in any order, reach those who asked", async () => {
    const sizes = Array.from({ length: 200 }, (_, index) => (index * 7919) % 50_000);
    sizes.push(3_000_000);
    const get = async ({ JobID }: JobGetRequest) => {
      const bytes = Number(JobID);
      for (let turns = bytes % 5; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
      return job(JobID, bytes);
    };
    const { port } = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const channel = channelTo(port);

    const answers = await Promise.all(sizes.map((size) => channel.unary(GET, asked(String(size)), call())));
    expect(answers.map(({ Job }) => [Job?.ID, Job?.Name?.length])).toEqual(sizes.map((size) => [String(size), size]));
  });

  it("caller that gives up, its call is aborted at the server and the others go on", async () => {
    const entered = deferred();
    const aborted = deferred();
    const released = deferred();
    const get = async ({ JobID }: JobGetRequest, { signal }: Call) => {
      if (JobID === "other") await released.promise;
      else {
        signal.addEventListener("abort", () => aborted.resolve());
        entered.resolve();
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      }
      return job(JobID);
    };
    const { port } = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const channel = channelTo(port);
    const giving = new AbortController();
    const other = channel.unary(GET, asked("other"), call());
    const given = channel.unary(GET, asked("given up"), call({ signal: giving.signal }));
    await entered.promise;

    giving.abort(new Error("changed my mind"));
    await expect(given).rejects.toThrow("changed my mind");
    await aborted.promise;
    released.resolve();
    expect((await other).Job?.ID).toBe("other");
  });

  it("server that closes, what it has begun is answered before the stream ends", async () => {
    const entered = deferred();
    const released = deferred();
    const get = async ({ JobID }: JobGetRequest) => {
      entered.resolve();
      await released.promise;
      return job(JobID);
    };
    const server = await serve(cleanup, { region: services({ "jobs.get": get }) });
    const answer = channelTo(server.port).unary(GET, asked("web"), call());
    await entered.promise;

    const closed = server.close(5_000);
    released.resolve();
    expect((await answer).Job?.ID).toBe("web");
    await closed;
  });

  it("request that no server would take, is refused before it is sent and harms no other", async () => {
    const register = async ({ Job }: JobRegisterRequest) => JobRegisterResponse.create({ EvalID: Job?.ID ?? "" });
    const { port } = await serve(cleanup, { region: services({ "jobs.register": register }) });
    const channel = channelTo(port);
    const registered = (ID: string, bytes: number) =>
      channel.unary(
        REGISTER,
        { ...blank(), Job: Job.create({ ID, Name: "x".repeat(bytes) }) },
        call({ timeoutMs: 20_000 }),
      );
    const blank = () => REGISTER.decodeRequest(new Uint8Array(0));

    const small = registered("small", 10);
    await expect(registered("large", MESSAGE_BYTES_MAX)).rejects.toMatchObject({ code: "too-large" });
    expect((await small).EvalID).toBe("small");
  });

  it("server from before there were such streams, gets each call over a stream of its own", async () => {
    const older = new Server();
    older.addService(grpcJsDefinition(JobsDefinition), {
      get: ({ request }: { request: JobGetRequest }, answer: (error: null, bytes: Uint8Array) => void) =>
        answer(null, GET.encodeResponse(job(request.JobID))),
    });
    const port = await new Promise<number>((resolve, reject) =>
      older.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    cleanup.add(() => older.forceShutdown());
    const channel = channelTo(port);

    for (const round of ["first", "second"]) {
      const answers = await Promise.all([1, 2, 3].map((n) => channel.unary(GET, asked(`${round}-${n}`), call())));
      expect(answers.map(({ Job }) => Job?.ID)).toEqual([`${round}-1`, `${round}-2`, `${round}-3`]);
    }
  });
});
