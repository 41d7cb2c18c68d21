import type { Outcome, TagJobVersion } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import type { JobState } from "../tables/jobs.ts";

/** Names a version of a job, or takes the name off. A named version is kept however many come after it. */
export function tagJobVersion(state: State, step: Step, command: TagJobVersion): Outcome {
  const { Namespace, JobID, Name, Version } = command;
  const job = state.jobs.get(Namespace, JobID);
  const tagged = job?.versions.find(({ VersionTag }) => VersionTag?.Name === Name);
  if (command.Remove) {
    if (job === undefined || tagged === undefined) {
      return refuse(step, "not-found", `tag ${JSON.stringify(Name)} not found on job ${JSON.stringify(JobID)}`);
    }
    setTag(state, step, job, tagged.Version, undefined);
    return done(step, { VersionTag: tagged.VersionTag });
  }
  if (job?.version(Version) === undefined) {
    return refuse(step, "not-found", `job ${JSON.stringify(JobID)} version ${Version} not found`);
  }
  if (tagged !== undefined && tagged.Version !== Version) {
    const text = `tag ${JSON.stringify(Name)} already exists on a different version of job ${JSON.stringify(JobID)}`;
    return refuse(step, "refused", text);
  }
  const tag = { Name, Description: command.Description, TaggedTime: step.time };
  setTag(state, step, job, Version, tag);
  return done(step, { VersionTag: tag });
}

function setTag(state: State, step: Step, job: JobState, version: number, VersionTag: Outcome["VersionTag"]): void {
  job.amendVersion(version, { VersionTag, ModifyIndex: step.index });
  job.prune();
  state.touchJob(step, job);
}
