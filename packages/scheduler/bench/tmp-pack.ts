import { readFileSync } from "node:fs";
import { World } from "/work/main/packages/scheduler/src/testing/world.ts";
import { mockJob, mockNode } from "@steppe/model/internal";
const tasks = JSON.parse(readFileSync("/work/shared/packing-workload.json", "utf8"));
const list = Array.isArray(tasks) ? tasks : tasks.tasks;
const world = new World(3);
world.addNodes(...Array.from({ length: 500 }, (_, i) => mockNode({ ReservedResources: undefined, NodeResources: { Cpu: { CpuShares: 16000 }, Memory: { MemoryMB: 32768 }, Disk: { DiskMB: 10_000_000 } } } as never, i)));
const t0 = performance.now();
for (const [i, t] of list.entries()) {
  const job = mockJob({ ID: `j${i}`, Constraints: [] });
  for (const g of job.TaskGroups) { g.Count = 1; for (const k of g.Tasks) Object.assign(k.Resources, { CPU: t.cpu, MemoryMB: t.mem }); }
  world.process(world.register(job));
}
console.log("nodes used", [...world.state.nodes.usedCpu].filter((x) => x > 0).length, "of", list.length, "tasks", Math.round(performance.now() - t0), "ms");
