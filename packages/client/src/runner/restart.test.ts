import { TaskLifecycle } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { decideRestart, type RestartRules, restartRules, type TaskEnd } from "./restart.ts";

const rules: RestartRules = { attempts: 2, intervalNs: 60e9, delayNs: 10e9, mode: "fail", onSuccess: true };
const fresh = { count: 0, intervalStartNs: 0 };
const failed: TaskEnd = { kind: "exit", successful: false };
const succeeded: TaskEnd = { kind: "exit", successful: true };

describe("restart decision", () => {
  test.each([
    ["failure within the attempts", rules, fresh, failed, "restart", "Restart within policy"],
    ["success of a service", rules, fresh, succeeded, "restart", "Restart within policy"],
    [
      "success of a batch task",
      { ...rules, onSuccess: false },
      fresh,
      succeeded,
      "complete",
      "Restart unnecessary as task terminated successfully",
    ],
    [
      "attempts used up, mode fail",
      rules,
      { count: 2, intervalStartNs: 0 },
      failed,
      "fail",
      'Exceeded allowed attempts 2 in interval 1m0s and mode is "fail"',
    ],
    [
      "attempts used up, mode delay",
      { ...rules, mode: "delay" as const },
      { count: 2, intervalStartNs: 0 },
      failed,
      "restart",
      "Exceeded allowed attempts, applying a delay",
    ],
    ["no attempts, failure", { ...rules, attempts: 0 }, fresh, failed, "fail", "Policy allows no restarts"],
    [
      "no attempts, success of a service",
      { ...rules, attempts: 0 },
      fresh,
      succeeded,
      "fail",
      "Policy allows no restarts",
    ],
    [
      "no attempts, success of a batch task",
      { ...rules, attempts: 0, onSuccess: false },
      fresh,
      succeeded,
      "complete",
      "Policy allows no restarts",
    ],
    [
      "start error that may pass",
      rules,
      fresh,
      { kind: "start-error", recoverable: true } as const,
      "restart",
      "Restart within policy",
    ],
    [
      "start error that will not",
      rules,
      fresh,
      { kind: "start-error", recoverable: false } as const,
      "fail",
      "Error was unrecoverable",
    ],
  ])("%s", (_name, given, history, end, kind, reason) => {
    expect(decideRestart(given, history, end, 1e9, 0).decision).toMatchObject({ kind, reason });
  });

  test("delay: up to a quarter more, by chance", () => {
    expect(decideRestart(rules, fresh, failed, 0, 0).decision).toMatchObject({ delayMs: 10_000 });
    expect(decideRestart(rules, fresh, failed, 0, 0.8).decision).toMatchObject({ delayMs: 12_000 });
  });

  test("mode delay: waits for the rest of the interval", () => {
    const { decision } = decideRestart(
      { ...rules, mode: "delay" },
      { count: 2, intervalStartNs: 0 },
      failed,
      20e9,
      0.5,
    );
    expect(decision).toMatchObject({ kind: "restart", delayMs: 40_000 });
  });

  test("a new interval counts from one again", () => {
    const { decision, history } = decideRestart(rules, { count: 2, intervalStartNs: 0 }, failed, 61e9, 0);
    expect(decision.kind).toBe("restart");
    expect(history).toEqual({ count: 1, intervalStartNs: 61e9 });
  });
});

describe("restart rules", () => {
  test("the task's values over the group's over the type's defaults", () => {
    const result = restartRules("batch", { Attempts: 7, Delay: 1e9 }, { Delay: 2e9 }, undefined);
    expect(result).toEqual({ attempts: 7, intervalNs: 24 * 3600e9, delayNs: 2e9, mode: "fail", onSuccess: false });
  });

  test.each([
    ["service", "", false, true],
    ["batch", "", false, false],
    ["service", "prestart", false, false],
    ["batch", "prestart", true, true],
    ["service", "poststart", false, false],
    ["service", "poststop", false, false],
  ])("%s task with hook %j, sidecar %s: restarts on success is %s", (type, Hook, Sidecar, expected) => {
    const lifecycle = Hook === "" ? undefined : TaskLifecycle.create({ Hook, Sidecar });
    expect(restartRules(type, undefined, undefined, lifecycle).onSuccess).toBe(expected);
  });
});
