import { describe, expect, test } from "vitest";
import { Leadership } from "./lease.ts";
import { type Member, TestRegion } from "./testing/region.ts";
import { settle } from "./testing/step-clock.ts";

interface Server {
  readonly member: Member;
  readonly leadership: Leadership;
  /** What the duties lived through: "+term" and "-term". */
  readonly story: string[];
}

function serve(member: Member, fail?: () => Error | undefined, isAlone = false): Server {
  const story: string[] = [];
  const { name: holder } = member;
  const options = { holder, address: `${holder}:4647`, httpAddress: `${holder}:4646`, isAlone };
  const leadership = new Leadership(options, member, async (term, signal) => {
    story.push(`+${term}`);
    const failure = fail?.();
    if (failure !== undefined) throw failure;
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    story.push(`-${term}`);
  });
  leadership.start();
  return { member, leadership, story };
}

describe("leadership (3 servers)", () => {
  async function threeServers() {
    const region = new TestRegion();
    const [a, b, c] = ["a", "b", "c"].map((name) => serve(region.member(name))) as [Server, Server, Server];
    await region.clock.advance(500);
    const leader = [a, b, c].find(({ leadership }) => leadership.term !== undefined) as Server;
    const others = [a, b, c].filter((server) => server !== leader) as [Server, Server];
    return { region, all: [a, b, c], leader, others };
  }
  const terms = (servers: readonly Server[]) => servers.map(({ leadership }) => leadership.term);

  test("at start, one of them leads and goes on leading", async () => {
    const { region, all, leader } = await threeServers();
    await region.clock.advance(60_000);
    expect(leader.story).toEqual(["+1"]);
    expect(terms(all).filter((term) => term !== undefined)).toEqual([1]);
    expect(leader.member.view.lease).toMatchObject({ Term: 1, Holder: leader.member.name });
  });

  test("the leader is cut off, stops before another begins", async () => {
    const { region, leader, others } = await threeServers();
    leader.member.cut = true;
    await region.clock.advance(1_900);
    expect(terms(others)).toEqual([undefined, undefined]);
    await region.clock.advance(810);
    expect(leader.story).toEqual(["+1", "-1"]);
    await region.clock.advance(1_000);
    expect(others.flatMap(({ story }) => story)).toEqual(["+2"]);
  });

  test("a leader that was cut off returns, follows", async () => {
    const { region, leader } = await threeServers();
    leader.member.cut = true;
    await region.clock.advance(10_000);
    leader.member.cut = false;
    leader.member.catchUp();
    await region.clock.advance(10_000);
    expect(leader.leadership.term).toBeUndefined();
    expect(leader.member.view.lease?.Term).toBe(2);
  });

  test("the leader stops, gives the lease back and another leads at once", async () => {
    const { region, leader, others } = await threeServers();
    await leader.leadership.stop();
    expect(leader.story).toEqual(["+1", "-1"]);
    await region.clock.advance(50);
    expect(others.flatMap(({ story }) => story)).toEqual(["+2"]);
  });

  test("duties fail, the lease goes to another", async () => {
    const region = new TestRegion();
    const failing = serve(region.member("failing"), () => new Error("no disk"));
    await region.clock.advance(100);
    const healthy = serve(region.member("healthy"));
    await region.clock.advance(5_000);
    expect(failing.story.length).toBeGreaterThan(0);
    await failing.leadership.stop();
    await region.clock.advance(5_000);
    expect(healthy.leadership.term).toBeDefined();
  });

  test("the log stands still for a moment, the leader tries again and keeps its term", async () => {
    const { region, leader } = await threeServers();
    leader.member.cut = true;
    await region.clock.advance(1_500);
    leader.member.cut = false;
    await region.clock.advance(5_000);
    expect(leader.story).toEqual(["+1"]);
  });
});

describe("leadership, clocks", () => {
  test.each([
    ["an hour ahead", 3_600_000],
    ["an hour behind", -3_600_000],
  ])("one server's wall clock is %s, terms follow one another all the same (2 servers)", async (_, skewMs) => {
    const region = new TestRegion();
    const skewed = serve(region.member("skewed", region.clock.twin(skewMs)));
    await region.clock.advance(100);
    const other = serve(region.member("other"));
    await region.clock.advance(30_000);
    expect([skewed.story, other.story]).toEqual([["+1"], []]);
    skewed.member.cut = true;
    await region.clock.advance(4_000);
    expect([skewed.story, other.story]).toEqual([["+1", "-1"], ["+2"]]);
  });

  test("the leader's clock runs slow, it still ends first (2 servers)", async () => {
    const region = new TestRegion();
    const slow = serve(region.member("slow", region.clock.twin(0, 0.95)));
    await region.clock.advance(200);
    const other = serve(region.member("other"));
    await region.clock.advance(5_000);
    slow.member.cut = true;
    for (let ms = 0; ms < 6_000; ms += 10) {
      await region.clock.advance(10);
      expect(slow.leadership.term !== undefined && other.leadership.term !== undefined).toBe(false);
    }
    expect(other.leadership.term).toBe(2);
  });
});

test("leadership: the leader's process stood still, when it wakes it sees the next term and stops (2 servers)", async () => {
  const region = new TestRegion();
  // Its clock and its replica stand still with it.
  let stoodMs = 0;
  const { clock } = region;
  const own = { ...clock, monotonicMs: () => clock.monotonicMs() - stoodMs, after: clock.after };
  const stopped = serve(region.member("stopped", own));
  await clock.advance(100);
  const other = serve(region.member("other"));
  stopped.member.lagging = true;
  for (let ms = 0; ms < 5_000; ms += 10) {
    stoodMs += 10;
    await clock.advance(10);
  }
  expect([stopped.leadership.term, other.leadership.term]).toEqual([1, 2]);
  const refused = other.member.propose({ $case: "UpsertEvaluations", value: { Term: 1, Evaluations: [] } });
  expect((await refused).Refusal?.Code).toBe("stale-term");
  stopped.member.lagging = false;
  stopped.member.catchUp();
  await settle();
  expect(stopped.story).toEqual(["+1", "-1"]);
});

test("leadership: no other can claim the lease, leads without a wait (1 server)", async () => {
  const { member, story } = serve(new TestRegion().member("a"), undefined, true);
  await settle();
  expect(story).toEqual(["+1"]);
  expect(member.view.lease).toMatchObject({ Term: 1, Holder: "a" });
});

test("leadership: a region that was down for long, leads after a short look at start (1 server)", async () => {
  const region = new TestRegion();
  const before = serve(region.member("a"));
  await region.clock.advance(100);
  before.member.cut = true;
  await region.clock.advance(3_600_000);
  const after = serve(region.member("a"));
  await region.clock.advance(1_850);
  expect(after.story).toEqual(["+2"]);
});

test("leadership: a replica's state differs, its check stops it at the leader's next claim (2 servers)", async () => {
  const region = new TestRegion();
  const leader = serve(region.member("a"));
  await region.clock.advance(100);
  const astray = region.member("b");
  astray.lagging = true;
  await region.clock.advance(2_000);
  astray.state.digest.word(7);
  astray.lagging = false;
  expect(() => astray.catchUp()).toThrow(/digest .* differs/);
  await leader.leadership.stop();
  await settle();
});
