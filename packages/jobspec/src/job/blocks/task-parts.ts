import { type BlockSchema, list, named, one } from "../schema.ts";
import { network } from "./network.ts";
import { affinity, constraint } from "./placement.ts";

export const resources = (): BlockSchema => ({
  attributes: {
    ...{
      cpu: ["CPU", "int"],
      cores: ["Cores", "int"],
      memory: ["MemoryMB", "int"],
      memory_max: ["MemoryMaxMB", "int"],
    },
    ...{ disk: ["DiskMB", "int"], iops: ["IOPS", "int"], secrets: ["SecretsMB", "int"] },
  },
  blocks: { network: list("Networks", network), device: named("Devices", device), numa: one("NUMA", numa) },
});

const device = (): BlockSchema => ({
  attributes: { count: ["Count", "int"] },
  blocks: { constraint: list("Constraints", constraint), affinity: list("Affinities", affinity) },
});

const numa = (): BlockSchema => ({
  attributes: { affinity: ["Affinity", "string"], devices: ["Devices", "strings"] },
});

export const logs = (): BlockSchema => ({
  attributes: {
    ...{ max_files: ["MaxFiles", "int"], max_file_size: ["MaxFileSizeMB", "int"] },
    ...{ disabled: ["Disabled", "bool"], enabled: ["Enabled", "bool"] },
  },
});

export const artifact = (): BlockSchema => ({
  attributes: {
    ...{ source: ["GetterSource", "string"], destination: ["RelativeDest", "string"], mode: ["GetterMode", "string"] },
    ...{ options: ["GetterOptions", "texts"], headers: ["GetterHeaders", "texts"] },
    ...{ insecure: ["GetterInsecure", "bool"], chown: ["Chown", "bool"] },
  },
});

export const template = (): BlockSchema => ({
  attributes: {
    ...{ source: ["SourcePath", "string"], destination: ["DestPath", "string"], data: ["EmbeddedTmpl", "string"] },
    ...{ change_mode: ["ChangeMode", "string"], change_signal: ["ChangeSignal", "string"], once: ["Once", "bool"] },
    ...{ splay: ["Splay", "duration"], perms: ["Perms", "string"], uid: ["Uid", "int"], gid: ["Gid", "int"] },
    ...{ left_delimiter: ["LeftDelim", "string"], right_delimiter: ["RightDelim", "string"], env: ["Envvars", "bool"] },
    ...{ vault_grace: ["VaultGrace", "duration"], error_on_missing_key: ["ErrMissingKey", "bool"] },
  },
  blocks: { change_script: one("ChangeScript", changeScript), wait: one("Wait", wait) },
});

const changeScript = (): BlockSchema => ({
  attributes: {
    ...{ command: ["Command", "string"], args: ["Args", "strings"], timeout: ["Timeout", "duration"] },
    ...{ fail_on_error: ["FailOnError", "bool"], run_on_first_render: ["RunOnFirstRender", "bool"] },
  },
});

const wait = (): BlockSchema => ({ attributes: { min: ["Min", "duration"], max: ["Max", "duration"] } });

export const vault = (): BlockSchema => ({
  attributes: {
    ...{ policies: ["Policies", "strings"], role: ["Role", "string"], namespace: ["Namespace", "string"] },
    ...{ cluster: ["Cluster", "string"], env: ["Env", "bool"], disable_file: ["DisableFile", "bool"] },
    ...{ change_mode: ["ChangeMode", "string"], change_signal: ["ChangeSignal", "string"] },
    allow_token_expiration: ["AllowTokenExpiration", "bool"],
  },
});

export const consul = (): BlockSchema => ({
  attributes: {
    ...{ namespace: ["Namespace", "string"], cluster: ["Cluster", "string"], partition: ["Partition", "string"] },
  },
});

export const volumeMount = (): BlockSchema => ({
  attributes: {
    ...{ volume: ["Volume", "string"], destination: ["Destination", "string"], read_only: ["ReadOnly", "bool"] },
    ...{ propagation_mode: ["PropagationMode", "string"], selinux_label: ["SELinuxLabel", "string"] },
  },
});

export const csiPlugin = (): BlockSchema => ({
  attributes: {
    ...{ id: ["ID", "string"], type: ["Type", "string"], mount_dir: ["MountDir", "string"] },
    stage_publish_base_dir: ["StagePublishBaseDir", "string"],
    health_timeout: ["HealthTimeout", "duration"],
  },
});

export const lifecycle = (): BlockSchema => ({
  attributes: { hook: ["Hook", "string"], sidecar: ["Sidecar", "bool"] },
});

export const dispatchPayload = (): BlockSchema => ({ attributes: { file: ["File", "string"] } });

export const action = (): BlockSchema => ({
  attributes: { command: ["Command", "string"], args: ["Args", "strings"] },
});

export const secret = (): BlockSchema => ({
  attributes: {
    ...{ provider: ["Provider", "string"], path: ["Path", "string"] },
    ...{ config: ["Config", "free"], env: ["Env", "texts"] },
  },
});

export const schedule = (): BlockSchema => ({ attributes: {}, blocks: { cron: one("Cron", scheduleCron) } });

const scheduleCron = (): BlockSchema => ({
  attributes: { start: ["Start", "string"], end: ["End", "string"], timezone: ["Timezone", "string"] },
});
