import { type BlockSchema, type Json, list, named, one } from "../schema.ts";
import { identity } from "./identity.ts";
import { affinity, constraint } from "./placement.ts";
import { restart, scaling } from "./policies.ts";
import { service } from "./service.ts";
import * as parts from "./task-parts.ts";

export const task = (): BlockSchema => ({
  attributes: {
    ...{ driver: ["Driver", "string"], user: ["User", "string"], config: ["Config", "free"], env: ["Env", "texts"] },
    ...{ meta: ["Meta", "texts"], kill_timeout: ["KillTimeout", "duration"], kill_signal: ["KillSignal", "string"] },
    ...{ leader: ["Leader", "bool"], shutdown_delay: ["ShutdownDelay", "duration"], kind: ["Kind", "string"] },
  },
  blocks: {
    ...{ constraint: list("Constraints", constraint), affinity: list("Affinities", affinity) },
    ...{ service: list("Services", service), resources: one("Resources", parts.resources) },
    ...{ restart: one("RestartPolicy", restart), logs: one("LogConfig", parts.logs) },
    ...{ artifact: list("Artifacts", parts.artifact), template: list("Templates", parts.template) },
    ...{ vault: one("Vault", parts.vault), consul: one("Consul", parts.consul) },
    ...{
      dispatch_payload: one("DispatchPayload", parts.dispatchPayload),
      lifecycle: one("Lifecycle", parts.lifecycle),
    },
    ...{ volume_mount: list("VolumeMounts", parts.volumeMount), csi_plugin: one("CSIPluginConfig", parts.csiPlugin) },
    ...{ identity: list("Identities", identity), action: named("Actions", parts.action) },
    ...{ secret: named("Secrets", parts.secret), schedule: one("Schedule", parts.schedule) },
    scaling: named("ScalingPolicies", scaling, "label"),
  },
  finish: ({ Identities = [], ScalingPolicies = [], ...fields }) => {
    const identities = Identities as Json[];
    const isDefault = ({ Name = "" }: Json) => Name === "" || Name === "default";
    const Identity = identities.find(isDefault);
    return {
      ...fields,
      ...(Identity !== undefined && { Identity }),
      Identities: identities.filter((it) => !isDefault(it)),
      ScalingPolicies: (ScalingPolicies as Json[]).map(verticalPolicy),
    };
  },
});

/** The label says what is scaled. */
function verticalPolicy({ label, ...policy }: Json): Json {
  return { Type: `vertical_${String(label)}`, ...policy };
}
