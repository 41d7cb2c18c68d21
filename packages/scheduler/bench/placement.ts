// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
// ns per placement of schedule(), plan building included: `node packages/scheduler/bench/placement.ts [runs]`.
import { mockJob, mockNode } from "@steppe/model/internal";
import { Entry, type Job, NetworkResource, Port } from "@steppe/proto";
import { createRandom } from "@steppe/runtime";
import { apply, State } from "@steppe/state";
import { schedule, VerdictCache } from "../src/index.ts";

const RUNS = Number(process.argv[2] ?? 9);
const random = createRandom();

function world(nodes: number): State {
  const state = new State();
  const commands = Array.from({ length: nodes }, (_, i) => ({
    RequestID: "",
    IDSeed: random.bytes(16),
    Kind: {
      $case: "RegisterNode" as const,
      value: {
        Node: mockNode(
          {
            Meta: { half: i % 2 === 0 ? "a" : "b" },
            ComputedClass: "",
            NodeResources: {
              ...mockNode({}, i).NodeResources,
              ...{ Cpu: { CpuShares: 16_000 }, Memory: { MemoryMB: 32_768 }, Disk: { DiskMB: 1_000_000 } },
            },
          },
          i,
        ),
      },
    },
  }));
  apply(state, 1, Entry.create({ Time: 1e9, Commands: commands }));
  return state;
}

function job(count: number, fields: Partial<Job>): Job {
  const made = mockJob({ ...fields } as never);
  for (const group of made.TaskGroups) {
    group.Count = count;
    for (const task of group.Tasks) {
      if (task.Resources !== undefined) Object.assign(task.Resources, { CPU: 20, MemoryMB: 30 });
    }
  }
  return made;
}

function register(state: State, spec: Job): string {
  const { outcomes } = apply(
    state,
    state.index + 1,
    Entry.create({
      Time: 2e9,
      Commands: [{ IDSeed: random.bytes(16), Kind: { $case: "RegisterJob", value: { Job: spec } } }],
    }),
  );
  return outcomes[0]?.EvalID ?? "";
}

const VARIANTS: Readonly<Record<string, Partial<Job>>> = {
  plain: {},
  "half by class": { Constraints: [{ LTarget: "${meta.half}", Operand: "=", RTarget: "a" }] },
  "half by unique": { Constraints: [{ LTarget: "${attr.unique.hostname}", Operand: "regexp", RTarget: "[02468]$" }] },
  distinct_hosts: { Constraints: [{ LTarget: "", Operand: "distinct_hosts", RTarget: "" }] },
  batch: { Type: "batch" },
  "one dynamic port": {},
};

function askForPort({ TaskGroups }: Job): void {
  const port = Port.create({ Label: "http", HostNetwork: "default" });
  for (const group of TaskGroups) group.Networks = [NetworkResource.create({ Mode: "host", DynamicPorts: [port] })];
}

const only = process.argv[3];
for (const [name, fields] of Object.entries(VARIANTS)) {
  if (only !== undefined && only !== name) continue;
  for (const nodes of [1_000, 5_000, 10_000]) {
    for (const count of [1_000, 10_000]) {
      if (name === "distinct_hosts" && count > nodes) continue;
      const state = world(nodes);
      const spec = job(count, fields);
      if (name === "one dynamic port") askForPort(spec);
      const evaluation = state.evaluations.get(register(state, spec));
      if (evaluation === undefined) throw new Error("no evaluation");
      const cache = new VerdictCache();
      const times: number[] = [];
      for (let run = 0; run < RUNS + 2; run++) {
        const start = performance.now();
        const plan = schedule(state, evaluation, { now: 3e9, random, cache });
        const ns = ((performance.now() - start) * 1e6) / count;
        const placed = plan.Placements[0]?.NameIndexes.length ?? 0;
        if (placed !== count) throw new Error(`${name} ${nodes} x ${count}: placed ${placed}`);
        if (run >= 2) times.push(ns);
      }
      times.sort((a, b) => a - b);
      const [low, median, high] = [times[0], times[times.length >> 1], times.at(-1)].map((it) => Math.round(it ?? 0));
      console.log(
        `${name.padEnd(16)} ${String(nodes).padStart(6)} x ${String(count).padStart(6)}  ${median} ns [${low}-${high}]`,
      );
    }
  }
}
