// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references as jobs write them, not JavaScript's
import { Node, Resources, type Task, type TaskGroup } from "@steppe/proto";
import { expect, test } from "vitest";
import { assignedTo, jobOf } from "../testing/fixtures.ts";
import { taskEnvironment } from "./environment.ts";
import { interpolateValue } from "./interpolate.ts";

const job = jobOf(
  [
    {
      Env: {
        GREETING: "from ${NOMAD_TASK_NAME} on ${attr.kernel.name} in ${node.datacenter}",
        NOMAD_DC: "mine",
        PATH: "/own",
      },
      Meta: { "log-level": "debug" },
      Resources: Resources.create({ CPU: 250, MemoryMB: 64 }),
    },
  ],
  { Meta: { owner: "ops", "log-level": "info" } },
);
const group = job.TaskGroups[0] as TaskGroup;
const { env, variables } = taskEnvironment({
  allocation: assignedTo(job, 3),
  job,
  group,
  task: group.Tasks[0] as Task,
  node: Node.create({ Name: "n1", Datacenter: "dc1", Attributes: { "kernel.name": "linux" }, Meta: { rack: "r1" } }),
  region: "eu",
  sharedDir: "/a/alloc",
  taskDir: "/a/main",
  hostEnv: { PATH: "/bin", HOME: "/root", VAULT_TOKEN: "secret" },
});

test("environment: what the task is, where it may write, what it may use", () => {
  expect(env).toMatchObject({
    NOMAD_ALLOC_ID: assignedTo(job, 3).ID,
    NOMAD_ALLOC_NAME: "example.web[3]",
    NOMAD_ALLOC_INDEX: "3",
    NOMAD_JOB_ID: "example",
    NOMAD_GROUP_NAME: "web",
    NOMAD_REGION: "eu",
    NOMAD_ALLOC_DIR: "/a/alloc",
    NOMAD_TASK_DIR: "/a/main/local",
    NOMAD_SECRETS_DIR: "/a/main/secrets",
    NOMAD_CPU_LIMIT: "250",
    NOMAD_MEMORY_LIMIT: "64",
  });
});

test("environment: meta of task over group over job, in both cases", () => {
  expect(env).toMatchObject({ NOMAD_META_owner: "ops", NOMAD_META_OWNER: "ops", NOMAD_META_LOG_LEVEL: "debug" });
});

test("environment: the task's own values are interpolated and win; credentials of the agent stay out", () => {
  expect(env).toMatchObject({ GREETING: "from main on linux in dc1", NOMAD_DC: "mine", PATH: "/own", HOME: "/root" });
  expect(env.VAULT_TOKEN).toBeUndefined();
});

test("interpolation: through lists and objects; what is not known stays", () => {
  const config = {
    args: ["${meta.rack}", "${env.HOME}", "${nobody.knows}", 5],
    nested: { name: "${NOMAD_ALLOC_NAME}" },
  };
  expect(interpolateValue(config, variables)).toEqual({
    args: ["r1", "/root", "${nobody.knows}", 5],
    nested: { name: "example.web[3]" },
  });
});
