import { mockJob } from "@steppe/model/internal";
import { JobGetResponse, QueryMeta } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { encodeJobAnswer, KeptJobs } from "./job-answers.ts";

const meta = (Index: number) => QueryMeta.create({ Index, KnownLeader: true });

describe("answers with a job", () => {
  it.each([
    ["a job", { Job: mockJob({ ID: "a" }), Meta: meta(7) }],
    ["no job", { Job: undefined, Meta: meta(7) }],
    ["neither", { Job: undefined, Meta: undefined }],
  ])("encoded with %s: what the contract's own code decodes", (_name, answer) => {
    for (let time = 0; time < 2; time++) {
      expect(JobGetResponse.decode(encodeJobAnswer(answer))).toEqual(answer);
    }
  });

  it("same job again: the same object, with the answer's own meta", () => {
    const jobs = new KeptJobs();
    const job = mockJob({ ID: "a" });
    const first = jobs.decode(encodeJobAnswer({ Job: job, Meta: meta(7) }));
    const second = jobs.decode(encodeJobAnswer({ Job: structuredClone(job), Meta: meta(8) }));
    expect(first).toEqual({ Job: job, Meta: meta(7) });
    expect(second.Job).toBe(first.Job);
    expect(second.Meta).toEqual(meta(8));
  });

  it("another job, or another version of it: another object", () => {
    const jobs = new KeptJobs();
    for (const job of [mockJob({ ID: "a" }), mockJob({ ID: "b" }), mockJob({ ID: "a", Version: 1 })]) {
      expect(jobs.decode(encodeJobAnswer({ Job: job, Meta: meta(1) }))).toEqual({ Job: job, Meta: meta(1) });
    }
  });

  it("no room: the oldest is decoded anew", () => {
    const [a, b] = [mockJob({ ID: "a" }), mockJob({ ID: "b" })].map((Job) => encodeJobAnswer({ Job, Meta: undefined }));
    if (a === undefined || b === undefined) throw new Error("two answers were made");
    const jobs = new KeptJobs(a.length + b.length - 1);
    const first = jobs.decode(a).Job;
    const second = jobs.decode(b).Job;
    expect(jobs.decode(b).Job).toBe(second);
    expect(jobs.decode(a).Job).not.toBe(first);
  });

  it("fields in another order, or a job in two parts: read as protobuf says", () => {
    const job = JobGetResponse.encode({ Job: mockJob({ ID: "a" }), Meta: undefined }).finish();
    const metaBytes = JobGetResponse.encode({ Job: undefined, Meta: meta(3) }).finish();
    const more = JobGetResponse.encode({ Job: mockJob({ ID: "b" }), Meta: undefined }).finish();
    const jobs = new KeptJobs();
    for (const parts of [
      [metaBytes, job],
      [job, metaBytes, more],
    ]) {
      const bytes = Buffer.concat(parts);
      expect(jobs.decode(bytes)).toEqual(JobGetResponse.decode(bytes));
    }
  });

  it("cut short: throws as ever", () => {
    const bytes = encodeJobAnswer({ Job: mockJob({ ID: "a" }), Meta: meta(3) });
    for (const length of [1, 2, 20, bytes.length - 1]) {
      expect(() => new KeptJobs().decode(bytes.subarray(0, length))).toThrow();
    }
  });
});
