import { describe, expect, it } from "vitest";
import type { RegionServer } from "./directory.ts";
import { type RegionView, routeRequest } from "./route.ts";

const live = (name: string): RegionServer => ({ name, address: `${name}:4647`, alive: true });
const suspect = (name: string): RegionServer => ({ ...live(name), alive: false });

function view(servers: Record<string, RegionServer[]>): RegionView {
  return { knows: (region) => region in servers, servers: (region) => servers[region] ?? [] };
}

const cases: {
  name: string;
  region: string;
  forwarded?: boolean;
  self?: string;
  known?: Record<string, RegionServer[]>;
  expected: string;
}[] = [
  { name: "no region, stays", region: "", expected: "local" },
  { name: "own region, stays", region: "us", expected: "local" },
  { name: "own region, forwarded, stays", region: "us", forwarded: true, expected: "local" },
  { name: "other region with a live server, forwards", region: "eu", known: { eu: [live("a")] }, expected: "eu: a" },
  {
    name: "other region with a suspect, keeps it last",
    region: "eu",
    known: { eu: [live("a"), suspect("b")] },
    expected: "eu: a b",
  },
  { name: "other region with suspects only, refuses", region: "eu", known: { eu: [suspect("b")] }, expected: "refuse" },
  { name: "other region with no server left, refuses", region: "eu", known: { eu: [] }, expected: "refuse" },
  { name: "unknown region, refuses", region: "mars", expected: "refuse" },
  {
    name: "forwarded for another region, refuses although it is known",
    region: "eu",
    forwarded: true,
    known: { eu: [live("a")] },
    expected: "refuse",
  },
  { name: "global where none is called so, stays", region: "global", expected: "local" },
  { name: "global where none is called so, forwarded, stays", region: "global", forwarded: true, expected: "local" },
  {
    name: "global where one is called so, forwards",
    region: "global",
    known: { global: [live("g")] },
    expected: "global: g",
  },
  {
    name: "global where one is called so but dead, refuses",
    region: "global",
    known: { global: [] },
    expected: "refuse",
  },
  { name: "global from within global, stays", region: "global", self: "global", expected: "local" },
];

describe("route", () => {
  it.each(cases)("$name", ({ region, forwarded = false, self = "us", known = {}, expected }) => {
    const route = routeRequest({ region, forwarded }, { region: self }, view(known));

    const seen =
      route.kind === "forward" ? `${route.region}: ${route.servers.map((it) => it.name).join(" ")}` : route.kind;
    expect(seen).toBe(expected);
    if (route.kind === "refuse") {
      expect(route.error).toMatchObject({ code: "no-path-to-region", message: "No path to region" });
    }
  });
});
