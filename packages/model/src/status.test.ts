import { TaskState } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import {
  CLIENT_STATUSES,
  DESIRED_STATUSES,
  EVALUATION_STATUSES,
  isClientTerminal,
  isTerminalAllocation,
  isTerminalEvaluation,
  ranSuccessfully,
} from "./status.ts";

describe("statuses", () => {
  it("allocations: final when the node is done with them or they are told to stop", () => {
    const final = DESIRED_STATUSES.flatMap((DesiredStatus) =>
      CLIENT_STATUSES.filter((ClientStatus) => isTerminalAllocation({ DesiredStatus, ClientStatus })).map(
        (it) => `${DesiredStatus} ${it}`,
      ),
    );
    expect(final).toEqual([
      ...["run complete", "run failed", "run lost"],
      ...CLIENT_STATUSES.map((it) => `stop ${it}`),
      ...CLIENT_STATUSES.map((it) => `evict ${it}`),
    ]);
    expect(CLIENT_STATUSES.filter((ClientStatus) => isClientTerminal({ ClientStatus }))).toEqual([
      "complete",
      "failed",
      "lost",
    ]);
  });

  it("evaluations: blocked and pending are not final", () => {
    expect(EVALUATION_STATUSES.filter((Status) => !isTerminalEvaluation({ Status }))).toEqual(["blocked", "pending"]);
  });

  it("an allocation ran successfully: when every task did, and there was one", () => {
    const state = (State: string, Failed: boolean): TaskState => TaskState.create({ State, Failed });
    expect(ranSuccessfully({ TaskStates: {} })).toBe(false);
    expect(ranSuccessfully({ TaskStates: { a: state("dead", false) } })).toBe(true);
    expect(ranSuccessfully({ TaskStates: { a: state("dead", false), b: state("dead", true) } })).toBe(false);
    expect(ranSuccessfully({ TaskStates: { a: state("running", false) } })).toBe(false);
  });
});
