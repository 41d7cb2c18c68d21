// The packing workload through a real server: jobs by HTTP, the log on disk, simulated nodes over gRPC.
import { mockTaskJob } from "../kit/jobs.ts";
import { placed } from "./evaluation.ts";
import { regionOn } from "./live/region.ts";
import { Requests } from "./live/requests.ts";
import { type Task, workload } from "./packing.ts";
import { median, type Scenario } from "./scenario.ts";

const NODES = 500;
const TASKS = 5_000;
/** Machines of the workload: 16,000 MHz and 32,768 MB, nothing reserved. */
const SHAPE = ["-cpu", "16000", "-memory", "32768"];

export const packingServer: Scenario = {
  name: "packing-server",
  summary: "nodes used by the same 5,000 tasks through a real server with 500 simulated nodes",
  async run() {
    const rows = [];
    for (const [form, jobs] of [
      ["one job a task", taskByTask],
      ["one job of 25 groups", byGroups],
    ] as const) {
      rows.push([form, median([await nodesUsed(jobs(workload(TASKS)))])]);
    }
    return [{ title: "Packing through the real server", columns: ["form", "nodes used"], rows }];
  },
};

type Job = ReturnType<typeof mockTaskJob>;

const taskByTask = (tasks: readonly Task[]): Job[] =>
  tasks.map(({ cpu, mem }, i) => sized(mockTaskJob(`task-${i}`, { cpu }), mem));

function byGroups(tasks: readonly Task[]): Job[] {
  const alike = Map.groupBy(tasks, ({ cpu, mem }) => `${cpu}/${mem}`);
  const groups = [...alike.values()].map((same, i) => {
    const [{ cpu, mem }] = same as [Task];
    const [group] = sized(mockTaskJob("", { cpu, count: same.length }), mem).TaskGroups as [Job["TaskGroups"][0]];
    return { ...group, Name: `g${i}` };
  });
  return [{ ...mockTaskJob("groups"), TaskGroups: groups }];
}

function sized(job: Job, MemoryMB: number): Job {
  for (const { Tasks } of job.TaskGroups) for (const { Resources } of Tasks) Resources.MemoryMB = MemoryMB;
  return job;
}

/** One request a job, in order. */
async function nodesUsed(jobs: readonly Job[]): Promise<number> {
  await using live = await regionOn("embedded");
  const { cluster, region, server } = live;
  await cluster.addSimulatedNodes(region, NODES, SHAPE);
  const requests = new Requests();
  for (const Job of jobs) await requests.put(`${server.http}/v1/jobs`, { Job });
  await placed(requests, server.http, TASKS);
  const allocations = await requests.get<{ NodeID: string }[]>(`${server.http}/v1/allocations`);
  requests.close();
  return new Set(allocations.map(({ NodeID }) => NodeID)).size;
}
