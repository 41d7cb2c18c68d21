import { TaskEvent, TaskState } from "@steppe/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TaskForms, unpackTasks } from "./task-forms.ts";

const time = fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 1.7e18, max: 1.8e18 }));
const event = fc
  .record({ Type: fc.constantFrom("Received", "Started", "Terminated"), Time: time, ExitCode: fc.nat(2) })
  .map((fields) => TaskEvent.create({ ...fields, Details: { exit_code: String(fields.ExitCode) } }));
const state = fc
  .record({ State: fc.constantFrom("pending", "running", "dead"), Failed: fc.boolean(), Restarts: fc.nat(2) })
  .chain((fields) =>
    fc
      .record({ LastRestart: time, StartedAt: time, FinishedAt: time, Events: fc.array(event, { maxLength: 4 }) })
      .map((more) => TaskState.create({ ...fields, ...more })),
  );
const states = fc.dictionary(fc.constantFrom("web", "log", "7"), state);

describe("task forms", () => {
  it("any report, packed and unpacked, is the report", () => {
    const forms = new TaskForms();
    fc.assert(
      fc.property(states, (reported) => {
        expect(unpackTasks(forms.pack(reported))).toEqual(reported);
      }),
    );
  });

  it("reports that differ in times alone share a form; others do not", () => {
    const forms = new TaskForms();
    const running = (StartedAt: number, Restarts = 0) =>
      forms.pack({ web: TaskState.create({ State: "running", StartedAt, Restarts }) });
    expect(running(5).form).toBe(running(6).form);
    expect(running(5).times).toBe(5);
    expect(running(5, 1).form).not.toBe(running(6).form);
    expect(running(0).form).not.toBe(running(6).form);
  });

  it("more forms than are kept in mind: all of them can still be read", () => {
    const forms = new TaskForms();
    const packed = Array.from({ length: 3_000 }, (_, Restarts) =>
      forms.pack({ web: TaskState.create({ Restarts, StartedAt: Restarts }) }),
    );
    expect(packed.map((it) => unpackTasks(it).web?.Restarts)).toEqual(packed.map((_, i) => i));
  });
});
