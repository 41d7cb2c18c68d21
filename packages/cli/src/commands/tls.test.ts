import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { run } from "./tls.ts";

let folder: string;
let before: string;
beforeAll(() => {
  before = process.cwd();
  folder = mkdtempSync(join(tmpdir(), "steppe-tls-"));
  process.chdir(folder);
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterAll(() => {
  vi.restoreAllMocks();
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const certificate = (name: string) => new X509Certificate(readFileSync(join(folder, name)));

describe("steppe tls", () => {
  it("ca and certificates, belong together, name role and region, and keys are the owner's only", async () => {
    await run(["ca", "create"]);
    await run(["cert", "create", "-server", "-region", "EU", "-additional-dnsname", "api.example", "-days=30"]);
    const [ca, server] = [certificate("steppe-agent-ca.pem"), certificate("EU-server-steppe.pem")];

    expect(server.checkIssued(ca)).toBe(true);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.subjectAltName).toBe("DNS:server.eu.steppe, DNS:localhost, DNS:api.example, IP Address:127.0.0.1");
    expect(Math.round((server.validToDate.getTime() - Date.now()) / 86_400_000)).toBe(30);
    expect(statSync(join(folder, "EU-server-steppe-key.pem")).mode & 0o777).toBe(0o600);
  });

  it("what exists, is not overwritten", async () => {
    await expect(run(["ca", "create"])).rejects.toThrow("steppe-agent-ca-key.pem exists; it is not overwritten");
  });

  it.each([
    [["cert", "create"], "say one of -server, -client, -worker, -nats and -cli"],
    [["cert", "create", "-server", "-client"], "say one of"],
    [["cert"], 'say "ca create" or "cert create"'],
    [
      ["cert", "create", "-client", "-ca", "none.pem"],
      'none.pem cannot be read (ENOENT); "steppe tls ca create" makes it',
    ],
  ])("%j, is refused with what to say", async (args, message) => {
    await expect(run(args)).rejects.toThrow(message);
  });
});
