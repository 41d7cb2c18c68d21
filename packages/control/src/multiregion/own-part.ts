import { isOpen, type JobKey, type StateView } from "@steppe/state";

type View = Pick<StateView, "jobs" | "deployments" | "evaluations">;

/** How far this region is with the job's last registration in several regions. */
export function rolloutStatus(view: View, key: JobKey): { Rollout: number; Status: string } {
  const entry = view.jobs.byKey.get(key);
  if (entry === undefined) return { Rollout: 0, Status: "none" };
  const { job, rollout: Rollout, rolloutVersion } = entry;
  const deployments = [...(view.deployments.ofJob(job.Namespace, job.ID)?.entries ?? [])];
  const own = deployments.findLast(
    ({ deployment: it }) => it.JobVersion === rolloutVersion && it.JobCreateIndex === job.CreateIndex,
  );
  if (own !== undefined) return { Rollout, Status: own.deployment.Status };
  const open = [...(view.evaluations.ofJob(job.Namespace, job.ID)?.ids ?? [])].some((id) => {
    const evaluation = view.evaluations.get(id);
    return evaluation !== undefined && evaluation.Status === "pending" && isOpen(evaluation);
  });
  const begins = open && job.Version === rolloutVersion && job.Type === "service";
  return { Rollout, Status: begins ? "initializing" : "none" };
}
