import { mockJob } from "@steppe/model/internal";
import { RegisterJob } from "@steppe/proto";
import { Ledger } from "@steppe/state/internal";
import fc from "fast-check";
import { expect, test } from "vitest";
import { JobsInOrder } from "./jobs-in-order.ts";
import { JOBS } from "./listings.ts";
import { createPager } from "./paging.ts";

const step = fc.record({
  what: fc.constantFrom("register", "stop", "purge", "list", "restore"),
  // The last ones order unlike UTF-16.
  id: fc.constantFrom("web", "web-1", "web-10", "a", "b.c", "\u{1f600}", "￮"),
  version: fc.nat({ max: 2 }),
});

test("jobs that come, change and go in any order, in any state: as if sorted anew", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let ledger = new Ledger();
      const order = new JobsInOrder();
      for (const { what, id, version } of steps) {
        if (what === "restore") ledger = new Ledger();
        if (what === "register") {
          const Job = mockJob({ ID: id, Priority: 50 + version });
          ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job } });
        }
        if (what === "stop" || what === "purge") {
          const value = { Namespace: "default", JobID: id, Purge: what === "purge", EvalPriority: 0 };
          ledger.run({ $case: "DeregisterJob", value: { ...value, NoShutdownDelay: false } });
        }
        if (what !== "list" && version > 0) continue;
        const sorted = createPager(undefined, JOBS)(ledger.state.jobs.byKey.values()).items;
        expect(order.of(ledger.state).map(({ key }) => key)).toEqual(sorted.map(({ key }) => key));
        expect(order.of(ledger.state)).toEqual(sorted);
      }
    }),
  );
});
