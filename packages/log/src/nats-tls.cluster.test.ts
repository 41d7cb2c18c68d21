// A region's NATS that knows its servers and workers by their certificates, as deploy/ sets it up.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, createAuthority } from "@steppe/certificates";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectNats } from "./nats-connection.ts";
import { type NatsServer, startNats } from "./testing/nats-server.ts";
import { createQuietLogger } from "./testing/quiet-logger.ts";

let folder: string;
let authority: Authority;
let nats: NatsServer;

const file = (name: string) => join(folder, name);

async function certificate(name: string, by = authority): Promise<{ certFile: string; keyFile: string }> {
  // The client calls every server whose address is a number "localhost".
  const signed = await by.sign({ commonName: name, dnsNames: [name, "localhost"], ipAddresses: [], days: 1 });
  await writeFile(file(`${name}.pem`), signed.cert);
  await writeFile(file(`${name}-key.pem`), signed.key);
  return { certFile: file(`${name}.pem`), keyFile: file(`${name}-key.pem`) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "steppe-nats-tls-"));
  authority = await createAuthority("authority", 1);
  await writeFile(file("ca.pem"), authority.cert);
  const { certFile, keyFile } = await certificate("nats.eu.steppe");
  await writeFile(
    file("nats.conf"),
    `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${file("ca.pem")}", verify_and_map: true }
     authorization { users: [ { user: "server.eu.steppe" }, { user: "worker.eu.steppe" } ] }`,
  );
  nats = await startNats({ args: ["-c", file("nats.conf")] });
});
afterAll(async () => {
  await nats[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function connect(tls: { certFile?: string; keyFile?: string; caFile?: string }): Promise<string> {
  try {
    const options = { servers: [nats.url], name: "test", logger: createQuietLogger(), connectTimeoutMs: 500 };
    const connection = await connectNats({ ...options, tls: { caFile: file("ca.pem"), ...tls } });
    await connection.flush();
    await connection.close();
    return "connected";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("NATS that knows its region's certificates", () => {
  it.each(["server.eu.steppe", "worker.eu.steppe"])("lets %s in", async (name) => {
    expect(await connect(await certificate(name))).toBe("connected");
  });

  it.each(["client.eu.steppe", "server.us.steppe", "worker.us.steppe", "nats.eu.steppe"])(
    "refuses %s",
    async (name) => {
      expect(await connect(await certificate(name))).toMatch("Authorization Violation");
    },
  );

  it("refuses a certificate of another authority, and none", async () => {
    const foreign = await createAuthority("authority", 1);

    expect(await connect(await certificate("server.eu.steppe", foreign))).toMatch("cannot reach NATS");
    expect(await connect({})).toMatch("cannot reach NATS");
  });
});
