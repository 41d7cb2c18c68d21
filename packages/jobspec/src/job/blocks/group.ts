import { type BlockSchema, type Json, list, named, one } from "../schema.ts";
import { network } from "./network.ts";
import { affinity, constraint, spread } from "./placement.ts";
import * as policies from "./policies.ts";
import { service } from "./service.ts";
import { task } from "./task.ts";
import { consul, vault } from "./task-parts.ts";

export const group = (): BlockSchema => ({
  attributes: {
    ...{ count: ["Count", "int"], meta: ["Meta", "texts"], shutdown_delay: ["ShutdownDelay", "duration"] },
    max_run_duration: ["MaxRunDuration", "duration"],
    stop_after_client_disconnect: ["StopAfterClientDisconnect", "duration"],
    max_client_disconnect: ["MaxClientDisconnect", "duration"],
    prevent_reschedule_on_lost: ["PreventRescheduleOnLost", "bool"],
  },
  blocks: {
    ...{ constraint: list("Constraints", constraint), affinity: list("Affinities", affinity) },
    ...{ spread: list("Spreads", spread), task: named("Tasks", task), service: list("Services", service) },
    ...{ restart: one("RestartPolicy", policies.restart), reschedule: one("ReschedulePolicy", policies.reschedule) },
    ...{ disconnect: one("Disconnect", policies.disconnect), ephemeral_disk: one("EphemeralDisk", ephemeralDisk) },
    ...{ update: one("Update", policies.update), migrate: one("Migrate", policies.migrate) },
    ...{ network: list("Networks", network), scaling: one("Scaling", policies.scaling) },
    ...{ consul: one("Consul", consul), vault: one("vault", vault) },
    volume: { name: "Volumes", schema: volume, form: "keyed", labels: 1, labelField: "Name" },
  },
  finish: withVault,
});

/** A vault block above tasks is that of each task that has none. */
export function withVault({ vault: Vault, ...fields }: Json): Json {
  if (Vault === undefined) return fields;
  const tasks = (fields.Tasks ?? []) as Json[];
  return { ...fields, Tasks: tasks.map((it) => ({ Vault, ...it })) };
}

const ephemeralDisk = (): BlockSchema => ({
  attributes: { sticky: ["Sticky", "bool"], migrate: ["Migrate", "bool"], size: ["SizeMB", "int"] },
});

const volume = (): BlockSchema => ({
  attributes: {
    ...{ type: ["Type", "string"], source: ["Source", "string"], read_only: ["ReadOnly", "bool"] },
    ...{ sticky: ["Sticky", "bool"], access_mode: ["AccessMode", "string"] },
    ...{ attachment_mode: ["AttachmentMode", "string"], per_alloc: ["PerAlloc", "bool"] },
  },
  blocks: { mount_options: one("MountOptions", mountOptions) },
});

const mountOptions = (): BlockSchema => ({
  attributes: { fs_type: ["FSType", "string"], mount_flags: ["MountFlags", "strings"] },
});
