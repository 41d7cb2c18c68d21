// What operators hand over and set beside the scheduler's configuration.
import { AutopilotConfiguration } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { decodeSnapshot } from "../decode-snapshot.ts";
import { encodeSnapshot } from "../encode-snapshot.ts";
import { Ledger } from "../testing/ledger.ts";

const SECOND_NS = 1e9;

describe("lease, handed over", () => {
  const claim = (Holder: string, Term = 0) =>
    ({
      $case: "ClaimLease",
      value: { Holder, Address: `${Holder}:1`, HTTPAddress: "", TTL: 3 * SECOND_NS, Term, DigestIndex: 0, Digest: 0 },
    }) as const;
  const release = (Successor: string) => ({ $case: "ReleaseLease", value: { Term: 1, Successor } }) as const;

  test("to one server, others are refused until it would have run out; the successor has it at once", () => {
    const ledger = new Ledger();
    ledger.run(claim("a"));
    ledger.run(release("c"));
    expect(ledger.run(claim("b")).Refusal?.Message).toBe("the lease was handed over to c");
    expect(ledger.run(claim("a")).Refusal?.Message).toBe("the lease was handed over to c");
    expect(ledger.run(claim("c"))).toMatchObject({ Refusal: undefined, Term: 2 });
    expect(ledger.state.lease).toMatchObject({ Holder: "c", Successor: "", SuccessorUntil: 0 });
  });

  test("to a server that does not come, anybody has it when it would have run out", () => {
    const ledger = new Ledger();
    ledger.run(claim("a"));
    ledger.run(release("dead"));
    const until = ledger.state.lease?.SuccessorUntil ?? 0;
    expect(until).toBeLessThanOrEqual(ledger.state.time + 3 * SECOND_NS);
    ledger.state.time = until;
    expect(ledger.run(claim("b"))).toMatchObject({ Refusal: undefined, Term: 2 });
  });

  test("to nobody by name, the first has it", () => {
    const ledger = new Ledger();
    ledger.run(claim("a"));
    ledger.run(release(""));
    expect(ledger.run(claim("b")).Refusal).toBeUndefined();
  });

  test("a snapshot in between, keeps the promise", () => {
    const ledger = new Ledger();
    ledger.run(claim("a"));
    ledger.run(release("c"));
    const state = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    expect(state.lease).toEqual(ledger.state.lease);
  });
});

describe("autopilot configuration", () => {
  const set = (fields: Partial<AutopilotConfiguration>, cas?: number) =>
    ({
      $case: "SetAutopilotConfiguration",
      value: {
        Config: { ...AutopilotConfiguration.create(), ...fields },
        CheckIndex: cas !== undefined,
        ModifyIndex: cas ?? 0,
      },
    }) as const;

  test("set and set again, keeps the index it was created at; a snapshot has it", () => {
    const ledger = new Ledger();
    expect(ledger.state.autopilotConfiguration).toMatchObject({ CleanupDeadServers: true, MaxTrailingLogs: 250 });
    ledger.run(set({ MaxTrailingLogs: 10 }));
    expect(ledger.run(set({ MinQuorum: 3 }))).toMatchObject({ Updated: true, Refusal: undefined });
    expect(ledger.state.autopilotConfiguration).toMatchObject({ MinQuorum: 3, CreateIndex: 1, ModifyIndex: 2 });
    const state = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    expect(state.autopilotConfiguration).toEqual(ledger.state.autopilotConfiguration);
  });

  test("with an index, is set only where that is the one there", () => {
    const ledger = new Ledger();
    ledger.run(set({}));
    expect(ledger.run(set({ MinQuorum: 3 }, 7)).Updated).toBe(false);
    expect(ledger.run(set({ MinQuorum: 3 }, 1)).Updated).toBe(true);
  });
});
