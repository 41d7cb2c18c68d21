import { TaskState } from "@steppe/proto";
import { expect, test } from "vitest";
import { clientStatus } from "./client-status.ts";

const pending = TaskState.create({ State: "pending" });
const running = TaskState.create({ State: "running" });
const done = TaskState.create({ State: "dead" });
const failed = TaskState.create({ State: "dead", Failed: true });

test.each([
  ["no task has started", [pending, pending], "pending", "No tasks have started"],
  ["one of two runs", [pending, running], "running", "Tasks are running"],
  ["one done, one runs", [done, running], "running", "Tasks are running"],
  ["one done, one pending", [done, pending], "pending", "No tasks have started"],
  ["all done", [done, done], "complete", "All tasks have completed"],
  ["one failed, one still runs", [failed, running], "failed", "Failed tasks"],
])("%s", (_name, states, status, description) => {
  expect(clientStatus(states)).toEqual({ status, description });
});
