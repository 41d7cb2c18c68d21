import { type BlockSchema, type Json, list, named, one } from "../schema.ts";
import { group, withVault } from "./group.ts";
import { affinity, constraint, spread } from "./placement.ts";
import { migrate, reschedule, update } from "./policies.ts";
import { task } from "./task.ts";
import { vault } from "./task-parts.ts";

export const job = (): BlockSchema => ({
  attributes: {
    ...{ id: ["ID", "string"], name: ["Name", "string"], region: ["Region", "string"] },
    ...{ namespace: ["Namespace", "string"], type: ["Type", "string"], priority: ["Priority", "int"] },
    ...{ all_at_once: ["AllAtOnce", "bool"], datacenters: ["Datacenters", "strings"] },
    ...{ node_pool: ["NodePool", "string"], meta: ["Meta", "texts"], consul_token: ["ConsulToken", "string"] },
    ...{ vault_token: ["VaultToken", "string"], consul_namespace: ["ConsulNamespace", "string"] },
    vault_namespace: ["VaultNamespace", "string"],
  },
  blocks: {
    ...{ constraint: list("Constraints", constraint), affinity: list("Affinities", affinity) },
    ...{ spread: list("Spreads", spread), group: named("TaskGroups", group), task: named("tasks", task) },
    ...{ update: one("Update", update), reschedule: one("Reschedule", reschedule), migrate: one("Migrate", migrate) },
    ...{ periodic: one("Periodic", periodic), parameterized: one("ParameterizedJob", parameterized) },
    ...{ multiregion: one("Multiregion", multiregion), ui: one("UI", ui), vault: one("vault", vault) },
  },
  finish: ({ tasks = [], vault, TaskGroups = [], ...fields }, [label]) => {
    // A task outside groups is a group of its own.
    const lone = (tasks as Json[]).map((it) => ({ Name: it.Name, Count: 1, Tasks: [it] }));
    const groups = [...(TaskGroups as Json[]), ...lone].map((it) => withVault({ ...it, vault }));
    return { ID: label, Name: label, ...fields, TaskGroups: groups };
  },
});

const periodic = (): BlockSchema => ({
  attributes: {
    ...{ enabled: ["Enabled", "bool"], cron: ["Spec", "string"], crons: ["Specs", "strings"] },
    ...{ prohibit_overlap: ["ProhibitOverlap", "bool"], time_zone: ["TimeZone", "string"] },
  },
  finish: (fields) => ({ SpecType: "cron", ...fields }),
});

const parameterized = (): BlockSchema => ({
  attributes: {
    ...{ payload: ["Payload", "string"], meta_required: ["MetaRequired", "strings"] },
    meta_optional: ["MetaOptional", "strings"],
  },
});

const multiregion = (): BlockSchema => ({
  attributes: {},
  blocks: { strategy: one("Strategy", strategy), region: named("Regions", region) },
});

const strategy = (): BlockSchema => ({
  attributes: { max_parallel: ["MaxParallel", "int"], on_failure: ["OnFailure", "string"] },
});

const region = (): BlockSchema => ({
  attributes: {
    ...{ count: ["Count", "int"], datacenters: ["Datacenters", "strings"] },
    ...{ node_pool: ["NodePool", "string"], meta: ["Meta", "texts"] },
  },
});

const ui = (): BlockSchema => ({
  attributes: { description: ["Description", "string"] },
  blocks: { link: list("Links", link) },
});

const link = (): BlockSchema => ({ attributes: { label: ["Label", "string"], url: ["Url", "string"] } });
