import { expect, it } from "vitest";
import { joinAddress, splitAddress, withPort } from "./address.ts";

it.each([
  ["10.0.0.1", "10.0.0.1:4647"],
  ["10.0.0.1:5000", "10.0.0.1:5000"],
  ["server.eu.example", "server.eu.example:4647"],
  ["server.eu.example:5000", "server.eu.example:5000"],
  ["::1", "[::1]:4647"],
  ["[::1]", "[::1]:4647"],
  ["[::1]:5000", "[::1]:5000"],
])("address: %s without a port gets the default, with one keeps it", (given, expected) => {
  expect(withPort(given, 4647)).toBe(expected);
});

it("address: split and joined, is the same again", () => {
  for (const address of ["10.0.0.1:80", "[fe80::1]:4647"]) {
    const { host, port } = splitAddress(address);
    expect(joinAddress(host, port)).toBe(address);
  }
});
