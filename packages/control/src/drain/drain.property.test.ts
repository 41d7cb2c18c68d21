import { mockJob, mockNode } from "@steppe/model/internal";
import { AllocationUpdate, ClaimLease, RegisterJob } from "@steppe/proto";
import { schedule } from "@steppe/scheduler";
import { Ledger } from "@steppe/state/internal";
import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../testing/region.ts";
import { decideDrains } from "./decide.ts";

const RUNS = Number(process.env.STEPPE_PROPERTY_RUNS ?? 60);
const HOUR = 3_600e9;

/** State, drainer, scheduler and agents, each moving when the test says so. */
class Region {
  readonly ledger: Ledger = new Ledger();
  readonly nodes: readonly string[];
  readonly #random;
  #term = 0;

  constructor(seed: number, nodes: number) {
    this.#random = seededRandom(seed);
    this.nodes = Array.from({ length: nodes }, (_, n) => mockNode({}, n).ID);
    for (const [n] of this.nodes.entries()) {
      this.ledger.run({ $case: "RegisterNode", value: { Node: mockNode({}, n) } });
    }
  }

  register(count: number, maxParallel: number): void {
    const job = mockJob({ ID: "web" });
    for (const group of job.TaskGroups) {
      group.Count = count;
      if (group.Migrate !== undefined) group.Migrate.MaxParallel = maxParallel;
    }
    this.ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job } });
  }

  drain(n: number): void {
    const DrainSpec = { Deadline: 0, IgnoreSystemJobs: false };
    const value = { NodeID: this.nodes[n % this.nodes.length] ?? "", DrainSpec, MarkEligible: false, Meta: {} };
    this.ledger.run({ $case: "UpdateNodeDrain", value });
  }

  /** One look of the drainer; whether it had anything to do. */
  drainer(): boolean {
    const { state } = this.ledger;
    const { migrate, completed } = decideDrains(state, this.nodes, this.ledger.now);
    if (migrate.length > 0) this.#lead("MigrateAllocations", { AllocIDs: [...migrate] });
    if (completed.length > 0) this.#lead("CompleteDrains", { NodeIDs: [...completed] });
    return migrate.length + completed.length > 0;
  }

  #lead(kind: "MigrateAllocations" | "CompleteDrains", fields: object): void {
    const claim = ClaimLease.create({ Holder: "a", TTL: HOUR, Term: this.#term });
    this.#term = this.ledger.run({ $case: "ClaimLease", value: claim }).Term;
    this.ledger.run({ $case: kind, value: { Term: this.#term, ...fields } } as never);
  }

  scheduler(): boolean {
    const { state, now } = this.ledger;
    const due = [...state.evaluations.byId.values()].find((it) => it.Status === "pending" && it.WaitUntil <= now);
    if (due === undefined) return false;
    this.ledger.run({ $case: "ApplyPlan", value: schedule(state, due, { now, random: this.#random }) });
    return true;
  }

  /** One allocation is brought where the servers want it. */
  agent(which: number): boolean {
    const behind = this.#all().filter(({ terminal, clientTerminal, DeploymentStatus }) =>
      terminal ? !clientTerminal : DeploymentStatus?.Healthy !== true,
    );
    const it = behind[which % behind.length];
    if (it === undefined) return false;
    const { ID, DeploymentID, terminal } = it;
    const update = AllocationUpdate.create({ ID, DeploymentID, ClientStatus: terminal ? "complete" : "running" });
    if (!it.terminal) update.DeploymentStatus = { Healthy: true, Timestamp: 0, Canary: false, ModifyIndex: 0 };
    this.ledger.run({ $case: "UpdateAllocations", value: { Updates: [update] } });
    return true;
  }

  get healthy(): number {
    return this.#all().filter((it) => !it.terminal && it.DeploymentStatus?.Healthy === true).length;
  }

  #all() {
    return [...this.ledger.state.allocations.byId.values()];
  }

  settle(): void {
    for (let rounds = 0; this.scheduler() || this.agent(0) || this.drainer(); rounds++) {
      if (rounds > 2_000) throw new Error("the region does not come to rest");
    }
  }
}

test("drains in any order with anything, never fewer than count - max_parallel healthy; in the end all moved", () => {
  const step = fc.record({ kind: fc.constantFrom("drain", "drainer", "scheduler", "agent"), which: fc.nat(20) });
  const given = fc.record({
    ...{ seed: fc.nat(), nodes: fc.integer({ min: 3, max: 6 }), count: fc.integer({ min: 1, max: 7 }) },
    ...{ maxParallel: fc.integer({ min: 1, max: 4 }), steps: fc.array(step, { maxLength: 60 }) },
  });
  fc.assert(
    fc.property(given, ({ seed, nodes, count, maxParallel, steps }) => {
      const region = new Region(seed, nodes);
      region.register(count, maxParallel);
      region.settle();
      expect(region.healthy).toBe(count);
      let drains = 0;
      for (const { kind, which } of steps) {
        // One node always stays, and each has room for seven: capacity allows.
        if (kind === "drain" && drains < nodes - 1) region.drain(drains++);
        else if (kind === "drainer") region.drainer();
        else if (kind === "scheduler") region.scheduler();
        else if (kind === "agent") region.agent(which);
        expect(region.healthy).toBeGreaterThanOrEqual(count - maxParallel);
      }
      region.settle();
      expect(region.healthy).toBe(count);
      for (let n = 0; n < drains; n++) {
        const node = region.ledger.state.nodes.get(region.nodes[n] ?? "");
        expect(node).toMatchObject({ DrainStrategy: undefined, SchedulingEligibility: "ineligible" });
        expect([...region.ledger.state.nodes.allocationsOf(node?.ID ?? "")].every(({ terminal }) => terminal)).toBe(
          true,
        );
      }
    }),
    { numRuns: RUNS },
  );
}, 120_000);
