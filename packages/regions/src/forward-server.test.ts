import type { Call } from "@steppe/model";
import { JobGetRequest, JobGetResponse, JobsDefinition } from "@steppe/proto";
import { afterEach, describe, expect, it } from "vitest";
import { createGrpcServer } from "./forward-server.ts";
import { grpcMethods } from "./grpc-definition.ts";
import { Cleanup, call, clock, connect, deferred, quiet, serve, services } from "./testkit.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const { get } = grpcMethods(JobsDefinition);
const web = JobGetRequest.create({ JobID: "web" });
const found = JobGetResponse.create({ Job: { ID: "web" } });

describe("gRPC server", () => {
  it("closing, lets a call in hand finish and takes no new one", async () => {
    const entered = deferred();
    const release = deferred();
    const slow = async () => {
      entered.resolve();
      await release.promise;
      return found;
    };
    const server = await serve(cleanup, { region: services({ "jobs.get": slow }) });
    const channel = connect(cleanup).to(`127.0.0.1:${server.port}`, undefined);
    const inHand = channel.unary(get, web, call());
    await entered.promise;
    const closed = server.close(60_000);
    // The channel learns by "goaway" that the server is leaving.
    await expect.poll(() => channel.state).toBe("idle");

    await expect(channel.unary(get, web, call())).rejects.toMatchObject({ kind: "refused", reached: false });
    release.resolve();
    expect(await inHand).toMatchObject({ Job: { ID: "web" } });
    await closed;
  });

  it("closing with a call that does not end, aborts and cuts it after the grace", async () => {
    const aborted = deferred();
    const entered = deferred();
    const stuck = (_: JobGetRequest, { signal }: Call) => {
      signal.addEventListener("abort", () => aborted.resolve());
      entered.resolve();
      return new Promise<JobGetResponse>(() => {});
    };
    const server = await serve(cleanup, { region: services({ "jobs.get": stuck }) });
    const inHand = connect(cleanup).to(`127.0.0.1:${server.port}`, undefined).unary(get, web, call());
    const lost = expect(inHand).rejects.toMatchObject({ kind: "lost", reached: true });
    await entered.promise;
    await server.close(20);

    await Promise.all([lost, aborted.promise]);
  });

  it("deadline of the caller, is the time the handler is given", async () => {
    const given = deferred<number>();
    const see = async (_: JobGetRequest, { timeoutMs }: Call) => {
      given.resolve(timeoutMs);
      return found;
    };
    const server = await serve(cleanup, { region: services({ "jobs.get": see }) });
    await connect(cleanup)
      .to(`127.0.0.1:${server.port}`, undefined)
      .unary(get, web, call({ timeoutMs: 1_234 }));

    expect(await given.promise).toBeGreaterThan(1_000);
    expect(await given.promise).toBeLessThanOrEqual(1_235);
  });

  it("service that it does not have, is an internal error that names the method", async () => {
    const server = await serve(cleanup, {});

    const failure = connect(cleanup).to(`127.0.0.1:${server.port}`, undefined).unary(get, web, call());
    await expect(failure).rejects.toMatchObject({ code: "internal", message: expect.stringContaining("Jobs/Get") });
  });

  it("port that is taken, is refused", async () => {
    const { port } = await serve(cleanup, {});

    const options = { host: "127.0.0.1", port, clock, logger: quiet };
    await expect(createGrpcServer(options, {})).rejects.toThrow(/EADDRINUSE|bind/);
  });
});
