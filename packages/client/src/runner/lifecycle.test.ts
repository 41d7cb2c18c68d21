import { Task, TaskLifecycle, TaskState } from "@steppe/proto";
import { expect, test } from "vitest";
import { killWaves, nextStep, type TaskStanding } from "./lifecycle.ts";

type Where = "waiting" | "running" | "done" | "failed";

function standing(Name: string, where: Where, hook = "", Sidecar = false, Leader = false): TaskStanding {
  const states = { waiting: "pending", running: "running", done: "dead", failed: "dead" };
  return {
    task: Task.create({
      Name,
      Leader,
      ...(hook === "" ? {} : { Lifecycle: TaskLifecycle.create({ Hook: hook, Sidecar }) }),
    }),
    state: TaskState.create({
      State: states[where],
      Failed: where === "failed",
      StartedAt: where === "waiting" ? 0 : 1,
    }),
    released: where !== "waiting",
  };
}

test("lifecycle: fresh group, only prestart tasks are let go", () => {
  const tasks = [
    standing("main", "waiting"),
    standing("init", "waiting", "prestart"),
    standing("after", "waiting", "poststart"),
  ];
  expect(nextStep(tasks)).toEqual({ release: ["init"] });
});

test("lifecycle: main tasks wait for prestart tasks to succeed, and for their sidecars to start", () => {
  const init = (where: Where) => standing("init", where, "prestart");
  const proxy = (where: Where) => standing("proxy", where, "prestart", true);
  expect(nextStep([init("running"), proxy("running"), standing("main", "waiting")]).release).toEqual([]);
  expect(nextStep([init("done"), proxy("running"), standing("main", "waiting")]).release).toEqual(["main"]);
});

test("lifecycle: poststart follows the last main task's start, poststop the last task's end", () => {
  const post = [standing("up", "waiting", "poststart"), standing("down", "waiting", "poststop")];
  expect(nextStep([standing("a", "running"), standing("b", "waiting"), ...post]).release).toEqual(["b"]);
  expect(nextStep([standing("a", "running"), ...post]).release).toEqual(["up"]);
  expect(
    nextStep([standing("a", "done"), standing("up", "done", "poststart"), post[1] as TaskStanding]).release,
  ).toEqual(["down"]);
});

test("lifecycle: a failed task takes its siblings along", () => {
  const step = nextStep([standing("a", "failed"), standing("b", "running"), standing("down", "waiting", "poststop")]);
  expect(step.kill).toEqual({ names: ["b"], cause: { kind: "sibling", task: "a" } });
});

test("lifecycle: a leader's end takes the others along", () => {
  const step = nextStep([standing("a", "done", "", false, true), standing("b", "running")]);
  expect(step.kill).toEqual({ names: ["b"], cause: { kind: "leader" } });
});

test("lifecycle: the last main task's end takes the sidecars along", () => {
  const step = nextStep([standing("a", "done"), standing("proxy", "running", "prestart", true)]);
  expect(step.kill).toEqual({ names: ["proxy"], cause: { kind: "main-dead" } });
});

test("kill order: leader, then the others, then sidecars", () => {
  const tasks = [
    standing("proxy", "running", "prestart", true),
    standing("b", "running"),
    standing("a", "running", "", false, true),
  ];
  expect(killWaves(tasks)).toEqual([["a"], ["b"], ["proxy"]]);
});
