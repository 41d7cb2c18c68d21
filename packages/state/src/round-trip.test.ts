// The contract loses nothing: a job as a client sends it, through the log, the state machine, a
// snapshot and back to JSON. Catches: a field that the state drops, or that no snapshot keeps.
import { fromJson, parseId, toJson } from "@steppe/model";
import { jsonOf } from "@steppe/model/internal";
import { Entry, type Job, RegisterJob } from "@steppe/proto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { apply } from "./apply.ts";
import { decodeSnapshot } from "./decode-snapshot.ts";
import { encodeSnapshot } from "./encode-snapshot.ts";
import { State } from "./state.ts";

const SEED = parseId("00000000-0000-4000-8000-000000000001");

/** What the state machine sets itself, whatever the client says. */
const SERVER_FIELDS = [
  ...["Status", "StatusDescription", "Version", "VersionTag", "Stop", "Stable"],
  ...["SubmitTime", "CreateIndex", "ModifyIndex", "JobModifyIndex"],
];

function clientPart(json: string): Record<string, unknown> {
  const job = JSON.parse(json) as Record<string, unknown>;
  for (const field of SERVER_FIELDS) delete job[field];
  return job;
}

test("any job, JSON in -> log -> state -> snapshot -> JSON out, loses nothing", () => {
  fc.assert(
    fc.property(jsonOf("Job", 5), (given) => {
      const job = fromJson<Job>("Job", given);
      const command = { $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job } } as const;
      const bytes = Entry.encode({
        Time: 1e18,
        Commands: [{ RequestID: "r", IDSeed: SEED, Kind: command, Fingerprint: "" }],
      }).finish();
      const state = new State();
      apply(state, 1, Entry.decode(bytes));
      const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(state)]));
      const stored = [...restored.jobs.byKey.values()][0]?.job as Job;
      expect(clientPart(toJson("Job", stored))).toEqual(clientPart(toJson("Job", job)));
    }),
    { numRuns: 300 },
  );
});
