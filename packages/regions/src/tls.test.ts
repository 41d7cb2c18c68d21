// Mutual TLS with real certificates: which certificate may do what, on both ends.
import { connect as connectTcp } from "node:net";
import { type Authority, createAuthority } from "@steppe/certificates";
import type { Call } from "@steppe/model";
import { JobGetResponse, JobsDefinition, MembershipDefinition, NodeAgentsDefinition } from "@steppe/proto";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createChannels } from "./channels.ts";
import { createDirectory } from "./directory.ts";
import { createExchange } from "./exchange.ts";
import { createGrpcServer, type GrpcServer } from "./forward-server.ts";
import { type GrpcMethod, grpcMethods } from "./grpc-definition.ts";
import type { PeerCall } from "./region-services.ts";
import { Cleanup, call, clock, member, quiet, random, recordingLogger, services } from "./testkit.ts";
import { TlsIdentity, type TlsMaterial, type TlsSettings } from "./tls-identity.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

let authority: Authority;
let stranger: Authority;
beforeAll(async () => {
  authority = await createAuthority("authority", 1);
  stranger = await createAuthority("authority", 1);
});

async function material(name: string, by = authority): Promise<TlsMaterial> {
  const signed = await by.sign({ commonName: name, dnsNames: [name], ipAddresses: [], days: 1 });
  return { ca: by.cert, ...signed };
}

async function identity(name: string, by = authority, settings: TlsSettings = {}): Promise<TlsIdentity> {
  return new TlsIdentity(await material(name, by), settings);
}

const METHODS = {
  region: grpcMethods(JobsDefinition).get as GrpcMethod,
  membership: grpcMethods(MembershipDefinition).exchange as GrpcMethod,
  nodeAgents: grpcMethods(NodeAgentsDefinition).heartbeat as GrpcMethod,
};

const blank = (method: GrpcMethod) => method.decodeRequest(new Uint8Array(0));

/** A server of region `eu` where every call that is let in is answered with an empty message. */
async function serveTls(tls: TlsIdentity): Promise<GrpcServer> {
  const heartbeat = async () => grpcMethods(NodeAgentsDefinition).heartbeat.decodeResponse(new Uint8Array(0));
  const unasked = () => Promise.reject(new Error("unexpected call"));
  const server = await createGrpcServer(
    { host: "127.0.0.1", port: 0, region: "eu", tls, clock, logger: quiet },
    {
      region: services({ "jobs.get": async () => JobGetResponse.create({ Job: { ID: "web" } }) }),
      membership: { exchange: async () => ({ Members: [] }), held: unasked },
      nodeAgents: {
        heartbeat,
        register: unasked,
        updateAllocations: unasked,
        reportAllocations: unasked,
        watchAllocations: async function* () {},
        answer: unasked,
        takeRequests: async function* () {},
      },
    },
  );
  cleanup.add(() => server.close(0));
  return server;
}

/** Undefined when it was answered, otherwise what came instead. */
async function ask(
  { port }: GrpcServer,
  tls: TlsIdentity | undefined,
  group: keyof typeof METHODS = "region",
  region: string | undefined = "eu",
): Promise<unknown> {
  const channels = createChannels({ clock, logger: quiet, ...(tls && { tls }) });
  cleanup.add(() => channels.close());
  return channels
    .to(`127.0.0.1:${port}`, region)
    .unary(METHODS[group], blank(METHODS[group]), call())
    .then(
      () => undefined,
      (error: unknown) => error,
    );
}

const denied = { code: "permission-denied" };
const noConnection = { name: "TransportFailure", kind: "refused" };

describe("gRPC server with TLS, caller with a certificate", () => {
  const cases: [string, Record<keyof typeof METHODS, boolean>][] = [
    ["server.eu.steppe", { region: true, membership: true, nodeAgents: true }],
    ["server.us.steppe", { region: true, membership: true, nodeAgents: false }],
    ["client.eu.steppe", { region: true, membership: false, nodeAgents: true }],
    ["client.us.steppe", { region: false, membership: false, nodeAgents: false }],
    ["worker.eu.steppe", { region: false, membership: false, nodeAgents: false }],
    ["cli.eu.steppe", { region: false, membership: false, nodeAgents: false }],
    ["localhost", { region: false, membership: false, nodeAgents: false }],
  ];

  it.each(cases)("for %s, is let in where its role is", async (name, expected) => {
    const server = await serveTls(await identity("server.eu.steppe"));
    const caller = await identity(name);
    for (const group of Object.keys(METHODS) as (keyof typeof METHODS)[]) {
      const outcome = await ask(server, caller, group);
      if (expected[group]) expect(outcome, group).toBeUndefined();
      else expect(outcome, group).toMatchObject(denied);
    }
  });

  it("without the right role, is told which it needs and which it has", async () => {
    const server = await serveTls(await identity("server.eu.steppe"));

    expect(await ask(server, await identity("client.us.steppe"), "nodeAgents")).toMatchObject({
      message: "this call needs a certificate for client.eu.steppe; the caller's has client.us.steppe",
    });
  });

  it("of another authority, or without any, gets no connection", async () => {
    const server = await serveTls(await identity("server.eu.steppe"));
    const foreign = await material("server.eu.steppe", stranger);

    expect(await ask(server, new TlsIdentity({ ...foreign, ca: authority.cert }))).toMatchObject(noConnection);
    expect(await ask(server, undefined)).toMatchObject(noConnection);
  });

  it("whose names need not be looked at, is let in by its authority alone", async () => {
    const server = await serveTls(await identity("localhost", authority, { verifyNames: false }));

    expect(await ask(server, await identity("x", authority, { verifyNames: false }), "membership")).toBeUndefined();
  });

  it("in clear text, is cut off", async () => {
    const { port } = await serveTls(await identity("server.eu.steppe"));
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connectTcp(port, "127.0.0.1", () => socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
      let text = "";
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1");
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });

    // A TLS alert at most, never an HTTP/2 frame.
    expect(answer.length).toBeLessThanOrEqual(7);
  });

  it("as stream, is judged as well", async () => {
    const server = await serveTls(await identity("server.eu.steppe"));
    const channels = createChannels({ clock, logger: quiet, tls: await identity("server.us.steppe") });
    cleanup.add(() => channels.close());
    const watch = grpcMethods(NodeAgentsDefinition).watchAllocations as GrpcMethod;
    const stream = channels.to(`127.0.0.1:${server.port}`, "eu").stream(watch, blank(watch), call().signal);

    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject(denied);
  });
});

describe("gRPC client with TLS, server with a certificate", () => {
  it.each([
    ["server.eu.steppe", "eu", true],
    ["server.eu.nomad", "eu", true],
    ["server.us.steppe", "eu", false],
    ["client.eu.steppe", "eu", false],
    ["worker.eu.steppe", "eu", false],
    ["server.us.steppe", undefined, true],
    ["client.us.steppe", undefined, false],
  ])("for %s, dialled as one of region %s: talked to: %s", async (name, region, talkedTo) => {
    const server = await serveTls(await identity(name));
    const channels = createChannels({ clock, logger: quiet, tls: await identity("server.eu.steppe") });
    cleanup.add(() => channels.close());
    const asked = channels.to(`127.0.0.1:${server.port}`, region).unary(METHODS.region, blank(METHODS.region), call());

    if (talkedTo) await asked;
    else await expect(asked).rejects.toMatchObject(noConnection);
  });

  it("of another authority, or in clear text, is not talked to", async () => {
    const foreign = await serveTls(await identity("server.eu.steppe", stranger));
    const plain = await createGrpcServer({ host: "127.0.0.1", port: 0, clock, logger: quiet }, {});
    cleanup.add(() => plain.close(0));
    const own = await identity("server.eu.steppe");

    expect(await ask(foreign, own)).toMatchObject(noConnection);
    expect(await ask(plain, own)).toMatchObject(noConnection);
  });
});

describe("certificates replaced while the process runs", () => {
  it("new ones, are used for new connections, and open ones stay", async () => {
    const server = await identity("server.eu.steppe");
    const running = await serveTls(server);
    const old = createChannels({ clock, logger: quiet, tls: await identity("server.eu.steppe") });
    cleanup.add(() => old.close());
    const channel = old.to(`127.0.0.1:${running.port}`, "eu");
    await channel.unary(METHODS.region, blank(METHODS.region), call());
    server.replace(await material("server.eu.steppe", stranger));

    await channel.unary(METHODS.region, blank(METHODS.region), call());
    expect(await ask(running, await identity("server.eu.steppe"))).toMatchObject(noConnection);
    expect(await ask(running, await identity("server.eu.steppe", stranger))).toBeUndefined();
  });
});

describe("member exchange, what a server's certificate lets it say", () => {
  async function euServer() {
    const directory = createDirectory({ self: member("eu-1.eu", "eu") });
    const channels = createChannels({ clock, logger: quiet });
    cleanup.add(() => channels.close());
    const { service } = createExchange({ directory, channels, join: [], clock, random, logger: recordingLogger() });
    const tell = (names: PeerCall["names"], ...members: ReturnType<typeof member>[]) =>
      service.exchange({ Members: members }, { ...(call() as Call), names });
    const known = () => directory.members(clock.monotonicMs()).map((it) => it.Name);
    return { tell, known };
  }
  const us = [{ role: "server", region: "us" }] as const;

  it("server of another region, speaks for its region and tells of third ones, never of the local one", async () => {
    const { tell, known } = await euServer();
    await tell(us, member("us-1.us", "us"), member("ap-1.ap", "ap"), member("eu-2.eu", "eu"));

    expect(known()).toEqual(["eu-1.eu", "ap-1.ap", "us-1.us"]);
  });

  it("server that says it is of a region not in its certificate, is not believed at all", async () => {
    const { tell, known } = await euServer();
    await tell(us, member("eu-2.eu", "eu"), member("us-1.us", "us"));

    expect(known()).toEqual(["eu-1.eu"]);
  });

  it("server of the local region, and any where there is no TLS, is believed", async () => {
    const { tell, known } = await euServer();
    await tell([{ role: "server", region: "eu" }], member("eu-2.eu", "eu"));
    await tell(undefined, member("us-1.us", "us"), member("eu-3.eu", "eu"));

    expect(known()).toEqual(["eu-1.eu", "eu-2.eu", "eu-3.eu", "us-1.us"]);
  });
});
