import { mockBatchJob, mockJob } from "@steppe/model/internal";
import { DispatchJob, type Job, JobSubmission, RegisterJob, ScaleJob, TagJobVersion } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { decodeSnapshot } from "../decode-snapshot.ts";
import { encodeSnapshot } from "../encode-snapshot.ts";
import { Ledger } from "../testing/ledger.ts";

const register = (job: Job, fields: Partial<RegisterJob> = {}) =>
  ({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job, ...fields } }) as const;
const dispatch = (fields: Partial<DispatchJob>) =>
  ({
    $case: "DispatchJob",
    value: { ...DispatchJob.create(), Namespace: "default", JobID: "import", Meta: { file: "a" }, ...fields },
  }) as const;
const scale = (fields: Partial<ScaleJob>) =>
  ({
    $case: "ScaleJob",
    value: { ...ScaleJob.create(), Namespace: "default", JobID: "web", Group: "web", ...fields },
  }) as const;
const tag = (fields: Partial<TagJobVersion>) =>
  ({
    $case: "TagJobVersion",
    value: { ...TagJobVersion.create(), Namespace: "default", JobID: "web", ...fields },
  }) as const;

function restored(ledger: Ledger) {
  return decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
}

describe("dispatch job", () => {
  function world(fields: Partial<Job> = {}) {
    const ledger = new Ledger();
    const config = { Payload: "optional", MetaRequired: ["file"], MetaOptional: ["mode"] };
    ledger.run(
      register({ ...mockBatchJob(), ID: "import", ParameterizedJob: config, Meta: { mode: "fast" }, ...fields }),
    );
    return ledger;
  }

  test("a parameterized job: starts a child of its own with an evaluation, in one step", () => {
    const ledger = world();
    const outcome = ledger.run(dispatch({ Payload: new Uint8Array([1, 2]), Priority: 70, IdPrefixTemplate: "x" }));
    expect(outcome.JobID).toMatch(/^import\/dispatch-x-1700000000-[0-9a-f]{8}$/);
    expect(ledger.state.jobs.get("default", outcome.JobID)?.job).toMatchObject({
      ...{ ParentID: "import", Name: outcome.JobID, Dispatched: true, Status: "pending", Version: 0, Priority: 70 },
      ...{ Meta: { file: "a", mode: "fast" }, Payload: new Uint8Array([1, 2]), CreateIndex: outcome.Index },
    });
    expect(ledger.state.evaluations.get(outcome.EvalID)).toMatchObject({ JobID: outcome.JobID, Status: "pending" });
    expect(ledger.state.jobs.get("default", "import")?.summary.Children).toMatchObject({ Pending: 1 });
  });

  test("a token that a child was started with: is answered with that child, and starts none", () => {
    const ledger = world();
    const first = ledger.run(dispatch({ IdempotencyToken: "t" }));
    const again = ledger.run(dispatch({ IdempotencyToken: "t", Meta: { file: "b" } }));
    expect(again).toMatchObject({ JobID: first.JobID, JobCreateIndex: first.Index, EvalID: "" });
    expect(ledger.run(dispatch({ IdempotencyToken: "u" })).JobID).not.toBe(first.JobID);
    expect(ledger.state.jobs.byKey.size).toBe(3);
  });

  test.each<[Partial<DispatchJob>, Partial<Job>, string]>([
    [{ JobID: "nobody" }, {}, "parameterized job not found"],
    [{}, { ParameterizedJob: undefined }, 'Specified job "import" is not a parameterized job'],
    [{ Meta: {} }, {}, "Dispatch did not provide required meta keys: [file]"],
    [{ Meta: { file: "a", y: "", x: "" } }, {}, "Dispatch request included unpermitted metadata keys: [x y]"],
    [{ Payload: new Uint8Array(16_385) }, {}, "Payload exceeds maximum size; 16385 > 16384"],
  ])("%o of a job with %o: is refused", (fields, job, message) => {
    const ledger = world(job);
    expect(ledger.run(dispatch(fields)).Refusal).toEqual({ Code: "refused", Message: message });
    expect(ledger.state.jobs.byKey.size).toBe(1);
  });

  test.each([
    ["required", 0, "Payload is not provided but required by parameterized job"],
    ["forbidden", 1, "Payload provided but forbidden by parameterized job"],
  ])("payload %s, %d bytes given: is refused", (Payload, bytes, message) => {
    const ledger = world({ ParameterizedJob: { Payload, MetaRequired: [], MetaOptional: ["file"] } });
    expect(ledger.run(dispatch({ Payload: new Uint8Array(bytes) })).Refusal?.Message).toBe(message);
  });

  test("a stopped job: is refused", () => {
    const ledger = world();
    const value = { Namespace: "default", JobID: "import", Purge: false, EvalPriority: 0, NoShutdownDelay: false };
    ledger.run({ $case: "DeregisterJob", value });
    expect(ledger.run(dispatch({})).Refusal?.Message).toBe('Specified job "import" is stopped');
  });
});

describe("scale job", () => {
  function world() {
    const ledger = new Ledger();
    const job = mockJob({ ID: "web" });
    for (const group of job.TaskGroups) group.Count = 2;
    ledger.run(register(job));
    return ledger;
  }

  const events = (ledger: Ledger) => ledger.state.jobs.get("default", "web")?.scalingEvents.get("web") ?? [];

  test("a count: makes a new version, an evaluation and an event", () => {
    const ledger = world();
    const outcome = ledger.run(scale({ Count: 5, Message: "busy", Meta: { load: 0.9 } }));
    const job = ledger.state.jobs.get("default", "web");
    expect(job?.job).toMatchObject({ Version: 1, JobModifyIndex: outcome.Index });
    expect(job?.job.TaskGroups[0]?.Count).toBe(5);
    expect(ledger.state.evaluations.get(outcome.EvalID)?.TriggeredBy).toBe("job-scaling");
    expect(events(ledger)).toEqual([
      {
        ...{ Time: ledger.now, PreviousCount: 2, Count: 5, Message: "busy", Error: false, Meta: { load: 0.9 } },
        ...{ EvalID: outcome.EvalID, CreateIndex: outcome.Index },
      },
    ]);
  });

  test("an event without a count: is kept, and changes nothing else", () => {
    const ledger = world();
    const before = ledger.state.jobs.get("default", "web")?.job;
    expect(ledger.run(scale({ Error: true, Message: "no metrics" })).EvalID).toBe("");
    expect(ledger.state.jobs.get("default", "web")?.job).toBe(before);
    expect(events(ledger)[0]).toMatchObject({
      Error: true,
      Message: "no metrics",
      Count: undefined,
      EvalID: undefined,
    });
  });

  test("many events: the newest ten are kept, newest first, and a snapshot keeps them", () => {
    const ledger = world();
    for (let n = 0; n < 15; n++) ledger.run(scale({ Message: String(n) }));
    expect(events(ledger).map(({ Message }) => Message)).toEqual([
      "14",
      "13",
      "12",
      "11",
      "10",
      "9",
      "8",
      "7",
      "6",
      "5",
    ]);
    const job = restored(ledger).jobs.get("default", "web");
    expect(job?.scalingEvents.get("web")).toEqual(events(ledger));
    expect(job?.scalingIndex).toBe(ledger.state.index);
    expect(ledger.replay().digest.value).toBe(ledger.state.digest.value);
  });

  test.each<[Partial<ScaleJob>, string, string]>([
    [{ JobID: "nobody" }, "not-found", 'job "nobody" not found'],
    [{ Group: "nobody" }, "invalid", 'task group "nobody" specified for scaling does not exist in job'],
    [{ Count: 0 }, "invalid", "group count was less than scaling policy minimum: 0 < 1"],
    [{ Count: 9 }, "invalid", "group count was greater than scaling policy maximum: 9 > 5"],
  ])("%o: is refused and leaves no event", (fields, code, message) => {
    const ledger = world();
    const job = mockJob({ ID: "web" });
    for (const group of job.TaskGroups) {
      group.Scaling = {
        ...{ ID: "", Namespace: "", Type: "horizontal", Target: {}, Policy: undefined, Enabled: true },
        ...{ Min: 1, Max: 5, CreateIndex: 0, ModifyIndex: 0 },
      };
    }
    ledger.run(register(job));
    expect(ledger.run(scale(fields)).Refusal).toEqual({ Code: code, Message: message });
    expect(events(ledger)).toEqual([]);
  });
});

describe("job versions", () => {
  function world(versions: number) {
    const ledger = new Ledger();
    for (let n = 0; n < versions; n++) {
      const Submission = { ...JobSubmission.create(), Source: `v${n}`, Format: "hcl2" };
      ledger.run(register(mockJob({ ID: "web", Meta: { n: String(n) } }), { Submission }));
    }
    return ledger;
  }

  const versionsOf = (ledger: Ledger) => ledger.state.jobs.get("default", "web")?.versions.map((it) => it.Version);

  test("a tag: keeps its version beside the six newest, through a snapshot, until it is taken off", () => {
    const ledger = world(3);
    const outcome = ledger.run(tag({ Name: "golden", Version: 1, Description: "good" }));
    expect(outcome.VersionTag).toEqual({ Name: "golden", Description: "good", TaggedTime: ledger.now });
    for (let n = 3; n < 10; n++) ledger.run(register(mockJob({ ID: "web", Meta: { n: String(n) } })));
    expect(versionsOf(ledger)).toEqual([1, 4, 5, 6, 7, 8, 9]);
    const job = restored(ledger).jobs.get("default", "web");
    expect(job?.versions.map((it) => it.Version)).toEqual([1, 4, 5, 6, 7, 8, 9]);
    expect(job?.submissions.map(({ Source }) => Source)).toEqual(["v1"]);
    expect(ledger.run(tag({ Name: "golden", Remove: true })).Refusal).toBeUndefined();
    expect(versionsOf(ledger)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(ledger.replay().digest.value).toBe(ledger.state.digest.value);
  });

  test.each<[Partial<TagJobVersion>, string, string]>([
    [{ Name: "x", Version: 9 }, "not-found", 'job "web" version 9 not found'],
    [{ Name: "x", JobID: "nobody" }, "not-found", 'job "nobody" version 0 not found'],
    [{ Name: "first", Version: 1 }, "refused", 'tag "first" already exists on a different version of job "web"'],
    [{ Name: "other", Remove: true }, "not-found", 'tag "other" not found on job "web"'],
  ])("tag %o: is refused", (fields, code, message) => {
    const ledger = world(2);
    ledger.run(tag({ Name: "first", Version: 0 }));
    expect(ledger.run(tag(fields)).Refusal).toEqual({ Code: code, Message: message });
  });

  test("sources: one a version that is tracked, in place when the same version is registered again", () => {
    const ledger = world(8);
    const again = { ...JobSubmission.create(), Source: "again", Format: "json" };
    ledger.run(register(mockJob({ ID: "web", Meta: { n: "7" } }), { Submission: again }));
    const sources = ledger.state.jobs.get("default", "web")?.submissions;
    expect(sources?.map(({ Version, Source }) => [Version, Source])).toEqual([
      ...[2, 3, 4, 5, 6].map((n) => [n, `v${n}`]),
      [7, "again"],
    ]);
    expect(sources?.[5]).toMatchObject({ Namespace: "default", JobID: "web" });
  });
});
