import { type DeepPartial, Job } from "@steppe/proto";
import type { SeededRandom } from "../kernel/random.ts";

/** An allocation takes so little that a region's nodes have room for all jobs' counts even when one node is lost. */
const TASK = { Name: "main", Driver: "exec", Resources: { CPU: 250, MemoryMB: 64 } };

const QUICK_RESCHEDULE = { Attempts: 0, Delay: 5e9, DelayFunction: "constant", Unlimited: true };

/** A service job that carries `mark`; others differ from it in more than the mark. */
export function serviceJob(region: string, id: string, mark: string, random: SeededRandom): Job {
  return Job.create({
    ...common(region, id, mark),
    Type: "service",
    TaskGroups: [
      {
        Name: "web",
        Count: 1 + random.below(4),
        Networks: [{ Mode: "host", DynamicPorts: [{ Label: "http" }] }],
        ReschedulePolicy: QUICK_RESCHEDULE,
        ...(random.chance(0.4) && { Update: { MaxParallel: 1, MinHealthyTime: 1e8, HealthCheck: "task_states" } }),
        Tasks: [{ ...TASK, Config: { command: "/bin/sleep" } }],
      },
    ],
  });
}

/** A batch job whose tasks end by themselves. */
export function batchJob(region: string, id: string, mark: string, random: SeededRandom): Job {
  return Job.create({
    ...common(region, id, mark),
    ...batch(1 + random.below(3), 1 + random.below(4)),
  });
}

/** Seconds between its launches. */
export const PERIOD_S = 5;

export function periodicJob(region: string, id: string, mark: string): Job {
  return Job.create({
    ...common(region, id, mark),
    ...batch(1, 1),
    Periodic: { Enabled: true, Spec: `*/${PERIOD_S} * * * * * *`, SpecType: "cron", TimeZone: "UTC" },
  });
}

function batch(count: number, seconds: number): DeepPartial<Job> {
  return {
    Type: "batch",
    TaskGroups: [
      {
        Name: "work",
        Count: count,
        ReschedulePolicy: QUICK_RESCHEDULE,
        Tasks: [{ ...TASK, Config: { command: "/bin/date", run_for: `${seconds}s` } }],
      },
    ],
  };
}

function common(region: string, id: string, mark: string): DeepPartial<Job> {
  return { Region: region, ID: id, Name: id, Datacenters: ["dc1"], Meta: { mark } };
}
