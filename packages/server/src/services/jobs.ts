import {
  canonicalizeJob,
  jobWarnings,
  multiError,
  namesRegions,
  type Random,
  type Service,
  SteppeError,
  validateJob,
} from "@steppe/model";
import {
  type Command,
  type Job,
  type JobAction,
  type JobsDefinition,
  RegisterJob,
  type WriteOptions,
} from "@steppe/proto";
import { jobKey } from "@steppe/state";
import { changeOfDeployments } from "./deployments.ts";
import { createJobList } from "./job-list.ts";
import { checkPlace, defaultPool } from "./job-place.ts";
import { registerReply } from "./job-replies.ts";
import type { JobRollouts } from "./job-rollouts.ts";
import { createJobScaling } from "./job-scaling.ts";
import { keptSource } from "./job-source.ts";
import { createJobVersions } from "./job-versions.ts";
import type { JobLimits } from "./limits.ts";
import { planJob } from "./plan-job.ts";
import { namespaceOf, type Reader } from "./read.ts";
import { AllocationRow, shownEvaluation, shownSummary } from "./stubs.ts";
import { refuseIfRejecting, type Writer } from "./write.ts";

/** The job API of this region. */
export function createJobs(
  reader: Reader,
  writer: Writer,
  limits: JobLimits,
  random: Random,
  rollouts: JobRollouts,
): Service<JobsDefinition> {
  const { view } = reader;

  /** Reads one thing of one job; `absent` is what an unknown job gives. */
  const ofJob = (request: { Query: Parameters<Reader["read"]>[0]; JobID: string }) =>
    jobKey(namespaceOf(request.Query), request.JobID);

  return {
    ...createJobList(reader),
    ...createJobVersions(reader, writer),
    ...createJobScaling(reader, writer),
    rollout: rollouts.rollout,

    async get(request, call) {
      const key = { kind: "job", id: ofJob(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const job = view.jobs.byKey.get(key.id)?.job;
        return {
          changedAt: job?.ModifyIndex ?? view.indexes.deletedAt("jobs"),
          index: job?.ModifyIndex ?? view.indexes.changedAt("jobs"),
          value: job,
        };
      });
      return { Job: value, Meta: meta };
    },

    async summary(request, call) {
      const key = { kind: "job-summary", id: ofJob(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const summary = view.jobs.byKey.get(key.id)?.summary;
        return {
          changedAt: summary?.ModifyIndex ?? view.indexes.deletedAt("summaries"),
          index: summary?.ModifyIndex ?? view.indexes.changedAt("summaries"),
          value: summary && shownSummary(summary),
        };
      });
      return { Summary: value, Meta: meta };
    },

    async allocations(request, call) {
      if (request.JobID === "") throw new SteppeError("refused", "missing job ID");
      const key = { kind: "job-allocations", id: ofJob(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const job = view.jobs.byKey.get(key.id);
        return {
          changedAt: job?.allocationsIndex ?? view.indexes.deletedAt("jobs"),
          index: job?.allocationsIndex ?? view.indexes.changedAt("jobs"),
          value: [...(job?.allocations ?? [])].map((allocation) => new AllocationRow(view, allocation)),
        };
      });
      return { Allocations: value, Meta: meta };
    },

    async evaluations(request, call) {
      const key = { kind: "job-evaluations", id: ofJob(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const ofThis = view.evaluations.ofJob(namespaceOf(request.Query), request.JobID);
        return {
          changedAt: ofThis?.index ?? view.indexes.deletedAt("evaluations"),
          index: ofThis?.index ?? view.indexes.changedAt("evaluations"),
          value: [...(ofThis?.ids ?? [])].map((id) => view.evaluations.get(id)).filter((it) => it !== undefined),
        };
      });
      return { Evaluations: value.map(shownEvaluation), Meta: meta };
    },

    async deployments(request, call) {
      const key = { kind: "job-deployments", id: ofJob(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const ofThis = view.deployments.ofJob(namespaceOf(request.Query), request.JobID);
        return { ...changeOfDeployments(view, ofThis), value: [...(ofThis?.entries ?? [])].reverse() };
      });
      return { Deployments: value.map(({ deployment }) => deployment), Meta: meta };
    },

    async latestDeployment(request, call) {
      const key = { kind: "job-deployments", id: ofJob(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const namespace = namespaceOf(request.Query);
        const latest = view.deployments.latest(namespace, request.JobID)?.deployment;
        return { ...changeOfDeployments(view, view.deployments.ofJob(namespace, request.JobID)), value: latest };
      });
      return { Deployment: value, Meta: meta };
    },

    async register(request, call) {
      refuseIfRejecting(view);
      if (request.Job === undefined) throw new SteppeError("invalid", "Job must be specified");
      const job = rollouts.here(request.Job);
      const warnings = admit(job, request.Write);
      const Submission = keptSource(request.Submission, limits.sourceBytesMax, warnings);
      const Register = {
        Job: job,
        EnforceIndex: request.EnforceIndex,
        JobModifyIndex: request.JobModifyIndex,
        EvalPriority: request.EvalPriority,
        PreserveCounts: request.PreserveCounts,
        PreserveResources: request.PreserveResources,
        Submission,
        CheckPlace: true,
      };
      if (namesRegions(job)) {
        const named = { ...request.Job, Namespace: job.Namespace };
        const { outcome, late } = await rollouts.register(request.Write, call, Register, named);
        return { ...registerReply(outcome), Warnings: [...warnings, ...late] };
      }
      const outcome = await writer.write(request.Write, call, { $case: "RegisterJob", value: Register });
      return { ...registerReply(outcome), Warnings: warnings };
    },

    /** Checked as any registration: this region may have no such node pool. */
    async takeCopy({ Write, Owed }, call) {
      if (Owed?.Job === undefined) return rollouts.takeStop(Write, call, Owed);
      const job = rollouts.here(Owed.Job);
      const Warnings = admit(job, Write);
      const value = { ...RegisterJob.create(), Job: job, EvalPriority: Owed.EvalPriority, CheckPlace: true };
      const copy = { Register: value, Rollout: Owed.Rollout, First: false, Owed: undefined };
      return { ...registerReply(await writer.write(Write, call, { $case: "RegisterCopy", value: copy })), Warnings };
    },

    async validate({ Write, Job: job }) {
      if (job === undefined) throw new SteppeError("invalid", "Job must be specified");
      job.Namespace = job.Namespace || namespaceOf(Write);
      canonicalizeJob(job, limits.defaults);
      const ValidationErrors = validateJob(job, limits.validation);
      return {
        DriverConfigValidated: true,
        ValidationErrors,
        Error: ValidationErrors.length === 0 ? "" : multiError(ValidationErrors),
        Warnings: jobWarnings(job),
      };
    },

    async dispatch({ Write, ...request }, call) {
      refuseIfRejecting(view);
      if (request.JobID === "") throw new SteppeError("refused", "missing parameterized job ID");
      if (request.Priority < 0 || request.Priority > limits.validation.priorityMax) {
        throw new SteppeError("invalid", `job priority must be between [1, ${limits.validation.priorityMax}]`);
      }
      const value = { Namespace: namespaceOf(Write), ...request };
      const outcome = await writer.write(Write, call, { $case: "DispatchJob", value });
      const { JobID: DispatchedJobID, EvalID, EvalCreateIndex, JobCreateIndex, Index } = outcome;
      return { DispatchedJobID, EvalID, EvalCreateIndex, JobCreateIndex, Index };
    },

    async actions(request, call) {
      const key = { kind: "job", id: ofJob(request) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const job = view.jobs.byKey.get(key.id)?.job;
        return {
          changedAt: job?.ModifyIndex ?? view.indexes.deletedAt("jobs"),
          index: job?.ModifyIndex ?? view.indexes.changedAt("jobs"),
          value: job && actionsOf(job),
        };
      });
      return { Found: value !== undefined, Actions: value ?? [], Meta: meta };
    },

    /** As fresh as any read: of the state that a registration would meet. */
    async plan(request, call) {
      if (request.Job === undefined) throw new SteppeError("invalid", "Job must be specified");
      const job = rollouts.here(request.Job);
      const Warnings = admit(job, request.Write);
      const { value } = await reader.read(undefined, call, { kind: "table", id: "jobs" }, (view) => {
        const value = planJob(job, request.Diff, { view, random, now: writer.wallNs() });
        return { changedAt: view.index, index: view.index, value };
      });
      return { ...value, Warnings };
    },

    async deregister(request, call) {
      if (request.JobID === "") throw new SteppeError("refused", "missing job ID for deregistering");
      const { JobID, Purge, EvalPriority, NoShutdownDelay } = request;
      const value = { Namespace: namespaceOf(request.Write), JobID, Purge, EvalPriority, NoShutdownDelay };
      if (request.Global && request.Regions.length > 0) {
        const { outcome, late } = await rollouts.stop(request.Write, call, value, request.Regions);
        return { ...registerReply(outcome), Warnings: [...late] };
      }
      return registerReply(await writer.write(request.Write, call, { $case: "DeregisterJob", value }));
    },

    async evaluate(request, call) {
      if (request.JobID === "") throw new SteppeError("refused", "missing job ID for evaluation");
      return registerReply(
        await writer.write(request.Write, call, {
          $case: "EvaluateJob",
          value: {
            Namespace: namespaceOf(request.Write),
            JobID: request.JobID,
            ForceReschedule: request.ForceReschedule,
          },
        }),
      );
    },

    async periodicForce(request, call) {
      if (request.JobID === "") throw new SteppeError("refused", "missing job ID for evaluation");
      const kind: NonNullable<Command["Kind"]> = {
        $case: "LaunchPeriodic",
        value: {
          Namespace: namespaceOf(request.Write),
          JobID: request.JobID,
          LaunchTime: writer.wallNs(),
          Forced: true,
          Term: 0,
        },
      };
      return registerReply(await writer.write(request.Write, call, kind));
    },
  };

  /** Fills in defaults and checks the job; throws with all that is wrong, and returns what is odd. */
  function admit(job: Job, write: WriteOptions | undefined): string[] {
    const namespace = write !== undefined && write.Namespace !== "" ? write.Namespace : job.Namespace || "default";
    if (job.Namespace !== "" && job.Namespace !== namespace) {
      throw new SteppeError("refused", `mismatched request namespace in request: "${namespace}", "${job.Namespace}"`);
    }
    job.Namespace = namespace;
    if (job.Dispatched) throw new SteppeError("refused", "job can't be submitted with 'Dispatched' set");
    job.NodePool ||= defaultPool(view, namespace);
    canonicalizeJob(job, limits.defaults);
    const errors = validateJob(job, limits.validation);
    if (errors.length > 0) throw new SteppeError("refused", multiError(errors));
    checkPlace(view, job);
    return jobWarnings(job);
  }
}

function actionsOf(job: Job): JobAction[] {
  return job.TaskGroups.flatMap((group) =>
    group.Tasks.flatMap((task) =>
      task.Actions.map((action) => ({ ...action, TaskName: task.Name, TaskGroupName: group.Name })),
    ),
  );
}
