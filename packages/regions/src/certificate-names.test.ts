import { describe, expect, it } from "vitest";
import { certificateNames, describeNames, hasRole } from "./certificate-names.ts";

describe("certificate names", () => {
  it.each([
    ["DNS:server.eu.steppe, DNS:localhost, IP Address:127.0.0.1", [{ role: "server", region: "eu" }]],
    ["DNS:client.eu-west.nomad", [{ role: "client", region: "eu-west" }]],
    ["DNS:worker.a.b.steppe", [{ role: "worker", region: "a.b" }]],
    ["DNS:SERVER.EU.Steppe", [{ role: "server", region: "eu" }]],
    ["DNS:localhost, DNS:server.steppe, DNS:server.eu.example.com, DNS:xserver.eu.steppe", []],
    // Not a DNS name, and one that Node had to quote because it tries to look like two.
    ["URI:server.eu.steppe, IP Address:10.0.0.1", []],
    ['DNS:"a\\u002c DNS:server.eu.steppe"', []],
    ["", []],
    [undefined, []],
  ])("of %j", (subjectAltName, names) => {
    expect(certificateNames(subjectAltName)).toEqual(names);
  });

  it("role, is of the region asked for only, without regard to case", () => {
    const names = certificateNames("DNS:server.eu.steppe, DNS:client.us.steppe");

    expect(hasRole(names, "server")).toBe(true);
    expect(hasRole(names, "server", "EU")).toBe(true);
    expect(hasRole(names, "server", "us")).toBe(false);
    expect(hasRole(names, "worker")).toBe(false);
  });

  it("described, are as in the certificate, or missing", () => {
    expect(describeNames(certificateNames("DNS:server.eu.nomad"))).toBe("server.eu.steppe");
    expect(describeNames([])).toMatch("no name");
  });
});
