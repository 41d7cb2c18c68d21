// An agent process's TLS, from its files to its HTTP API.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, createAuthority } from "@steppe/certificates";
import type { Logger } from "@steppe/model";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Agent, startAgent } from "./agent.ts";
import { type AgentConfig, devConfig } from "./config/index.ts";
import { openTls } from "./tls.ts";

let folder: string;
let authority: Authority;
let errors: string[];
let running: Agent[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "steppe-tls-"));
  authority = await createAuthority("authority", 1);
  errors = [];
  running = [];
});
afterEach(async () => {
  for (const agent of running) await agent.close();
  rmSync(folder, { recursive: true });
});

const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (_fields: object, message?: string) => void errors.push(message ?? ""),
  child: () => logger,
};

const file = (name: string) => join(folder, name);

async function writeFiles(name: string, by = authority): Promise<void> {
  const signed = await by.sign({
    commonName: name,
    dnsNames: [name, "localhost"],
    ipAddresses: ["127.0.0.1"],
    days: 1,
  });
  writeFileSync(file("ca.pem"), by.cert);
  writeFileSync(file("cert.pem"), signed.cert);
  writeFileSync(file("key.pem"), signed.key);
}

function config(tls: Partial<NonNullable<AgentConfig["tls"]>> = {}, client = false): AgentConfig {
  const { config: dev } = devConfig({ region: "eu", ports: { http: 0, rpc: 0 }, logLevel: "error" });
  const files = { caFile: file("ca.pem"), certFile: file("cert.pem"), keyFile: file("key.pem") };
  const defaults = { http: true, rpc: true, verifyServerHostname: true, verifyHttpsClient: false } as const;
  return {
    ...dev,
    server: { ...dev.server, enabled: !client },
    client: { ...dev.client, enabled: client },
    tls: { ...defaults, minVersion: "TLSv1.2", ...files, ...tls },
  };
}

async function start(tls: Partial<NonNullable<AgentConfig["tls"]>> = {}): Promise<Agent> {
  const agent = await startAgent(config(tls), logger, () => undefined);
  running.push(agent);
  return agent;
}

/** The HTTP status, or the code of what went wrong. */
function ask({ http }: Agent, options: RequestOptions): Promise<number | string> {
  return new Promise((resolve) => {
    const request = get(`https://${http}/v1/status/leader`, { agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode as number);
    });
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe("agent with TLS", () => {
  it("http true, answers over HTTPS with its certificate", async () => {
    await writeFiles("server.eu.steppe");
    const agent = await start();

    expect(await ask(agent, { ca: authority.cert })).toBe(200);
    expect(await ask(agent, {})).toBe("SELF_SIGNED_CERT_IN_CHAIN");
    await expect(fetch(`http://${agent.http}/v1/status/leader`)).rejects.toThrow();
  });

  it("verify_https_client, asks for a certificate of its authority", async () => {
    await writeFiles("server.eu.steppe");
    const agent = await start({ verifyHttpsClient: true });
    const own = await authority.sign({ commonName: "cli", dnsNames: ["cli.eu.steppe"], ipAddresses: [], days: 1 });

    expect(await ask(agent, { ca: authority.cert, ...own })).toBe(200);
    expect(await ask(agent, { ca: authority.cert })).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET/);
  });

  it("told to reload, uses the files that are there now; wrong ones are refused and the old stay", async () => {
    await writeFiles("server.eu.steppe");
    const agent = await start();
    const next = await createAuthority("next", 1);
    await writeFiles("server.us.steppe", next);
    await agent.reload();
    expect(errors).toEqual(["the new certificates cannot be used; the old ones stay"]);
    expect(await ask(agent, { ca: authority.cert })).toBe(200);

    await writeFiles("server.eu.steppe", next);
    await agent.reload();
    expect(await ask(agent, { ca: next.cert })).toBe(200);
    expect(await ask(agent, { ca: authority.cert })).not.toBe(200);
  });
});

describe("certificate files", () => {
  it.each([
    ["server.us.steppe", false, "has server.us.steppe; this agent needs server.eu.steppe"],
    ["client.eu.steppe", false, "has client.eu.steppe; this agent needs server.eu.steppe"],
    ["client.us.steppe", true, "this agent needs client.eu.steppe (steppe tls cert create -client -region eu)"],
    ["example.com", true, "has no name of the form server.REGION.steppe"],
  ])("named %s, for a client: %s, are refused with what is needed", async (name, client, message) => {
    await writeFiles(name);

    await expect(openTls(config({}, client))).rejects.toThrow(message);
    await expect(openTls(config({ verifyServerHostname: false }, client))).resolves.toBeDefined();
  });

  it("that are missing or do not belong together, are named", async () => {
    await expect(openTls(config())).rejects.toThrow(`tls.ca_file ${file("ca.pem")} cannot be read (ENOENT)`);
    await writeFiles("server.eu.steppe");
    writeFileSync(file("key.pem"), (await createAuthority("other", 1)).key);
    await expect(openTls(config())).rejects.toThrow(/cannot be used: .*key values mismatch/);
  });
});
