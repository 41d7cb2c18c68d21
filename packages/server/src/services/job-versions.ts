import { diffJobs, type Service, SteppeError } from "@steppe/model";
import type { Job, JobDiff, JobsDefinition, JobVersionsRequest } from "@steppe/proto";
import { jobKey } from "@steppe/state";
import { registerReply } from "./job-replies.ts";
import { namespaceOf, type Reader } from "./read.ts";
import type { Writer } from "./write.ts";

type Methods = "versions" | "revert" | "stable" | "tag" | "submission";

/** Characters of a tag's description; the peer's limit. */
const DESCRIPTION_MAX = 1000;

/** Versions of this region's jobs: what they were, their names, and going back to them. */
export function createJobVersions(reader: Reader, writer: Writer): Pick<Service<JobsDefinition>, Methods> {
  return {
    async versions(request, call) {
      const key = { kind: "job", id: jobKey(namespaceOf(request.Query), request.JobID) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const versions = view.jobs.byKey.get(key.id)?.versions ?? [];
        // An older version that is tagged changes without the newest one.
        const newest = versions.reduce((index, { ModifyIndex }) => Math.max(index, ModifyIndex), 0);
        return {
          changedAt: newest || view.indexes.deletedAt("jobs"),
          index: newest || view.indexes.changedAt("jobs"),
          value: [...versions].reverse(),
        };
      });
      return { Versions: value, Diffs: request.Diffs ? diffsOf(value, request) : [], Meta: meta };
    },

    async submission(request, call) {
      const key = { kind: "job", id: jobKey(namespaceOf(request.Query), request.JobID) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const job = view.jobs.byKey.get(key.id);
        return {
          changedAt: job?.job.JobModifyIndex ?? view.indexes.deletedAt("jobs"),
          index: job?.job.JobModifyIndex ?? view.indexes.changedAt("jobs"),
          value: job?.submissions.find(({ Version }) => Version === request.Version),
        };
      });
      return { Submission: value, Meta: meta };
    },

    async tag({ Write, JobID, Name, Version, Description, Remove }, call) {
      if (JobID === "") throw new SteppeError("invalid", "missing job ID for tagging a version");
      if (Name === "") throw new SteppeError("invalid", "missing tag name");
      const length = Array.from(Description).length;
      if (length > DESCRIPTION_MAX) {
        const limit = `under ${DESCRIPTION_MAX} characters, currently ${length}`;
        throw new SteppeError("invalid", `Tagged version description must be ${limit}`);
      }
      const value = { Namespace: namespaceOf(Write), JobID, Name, Version, Description, Remove };
      const { VersionTag, Index } = await writer.write(Write, call, { $case: "TagJobVersion", value });
      const { Name: name = "", Description: description = "", TaggedTime = 0 } = VersionTag ?? {};
      return { Name: name, Description: description, TaggedTime, Index };
    },

    async revert(request, call) {
      if (request.JobID === "") throw new SteppeError("refused", "missing job ID for revert");
      const { JobID, JobVersion, EnforcePriorVersion } = request;
      const value = { Namespace: namespaceOf(request.Write), JobID, JobVersion, EnforcePriorVersion };
      return registerReply(await writer.write(request.Write, call, { $case: "RevertJob", value }));
    },

    async stable(request, call) {
      if (request.JobID === "") throw new SteppeError("refused", "missing job ID for marking job as stable");
      const { JobID, JobVersion, Stable } = request;
      const value = { Namespace: namespaceOf(request.Write), JobID, JobVersion, Stable };
      const { Index } = await writer.write(request.Write, call, { $case: "SetJobStability", value });
      return { Index };
    },
  };
}

/** Newest first, as the versions are. Throws `not-found` when there is no version to compare with. */
function diffsOf(versions: readonly Job[], { DiffTag, DiffVersion }: JobVersionsRequest): JobDiff[] {
  if (versions.length === 0) return [];
  if (DiffTag === "" && DiffVersion === undefined) {
    return versions.slice(0, -1).map((job, i) => diffJobs(versions[i + 1], job));
  }
  const base = versions.find(({ Version, VersionTag }) =>
    DiffTag === "" ? Version === DiffVersion : VersionTag?.Name === DiffTag,
  );
  if (base === undefined) {
    const what = DiffTag === "" ? `version ${DiffVersion}` : `tag ${JSON.stringify(DiffTag)}`;
    throw new SteppeError("not-found", `${what} not found`);
  }
  return versions.filter((job) => job !== base).map((job) => diffJobs(base, job));
}
