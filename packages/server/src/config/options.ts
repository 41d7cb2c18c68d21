/** How an option's value is written. `strings+` lists are joined over files, `strings` lists replaced. */
export type Scalar = "string" | "int" | "number" | "bool" | "duration" | "strings" | "strings+" | "map";

/** Nomad knows it and this version does nothing with it: named in a warning. */
const UNSUPPORTED = "unsupported";

/** Nomad needs it and Steppe has nothing it could apply to: named in a warning with the reason. */
interface NotNeeded {
  readonly notNeeded: string;
}

export type Option = Scalar | typeof UNSUPPORTED | NotNeeded | { readonly block: Table } | { readonly labelled: Table };

export interface Table {
  readonly [name: string]: Option;
}

type ScalarValue = {
  string: string;
  int: number;
  number: number;
  bool: boolean;
  /** Milliseconds. */
  duration: number;
  strings: readonly string[];
  "strings+": readonly string[];
  map: Readonly<Record<string, string>>;
};

type OptionValue<O> = O extends Scalar
  ? ScalarValue[O]
  : O extends { block: infer T extends Table }
    ? Decoded<T>
    : O extends { labelled: infer T extends Table }
      ? Readonly<Record<string, Decoded<T>>>
      : never;

/** What a table's options decode to: only what was written is there. */
export type Decoded<T extends Table> = {
  readonly [K in keyof T as OptionValue<T[K]> extends never ? never : K]?: OptionValue<T[K]>;
};

const unsupported = (...names: string[]): Readonly<Record<string, typeof UNSUPPORTED>> =>
  Object.fromEntries(names.map((name) => [name, UNSUPPORTED]));

const NO_GOSSIP: NotNeeded = { notNeeded: "servers find each other over NATS and gRPC, there is no gossip" };
const NO_RAFT: NotNeeded = { notNeeded: "the log is kept by NATS, there is no Raft in the servers" };
const NO_UPDATE_CHECK: NotNeeded = { notNeeded: "no update check is ever made" };

const SERVER_JOIN = {
  retry_join: "strings+",
  start_join: "strings+",
  retry_max: { notNeeded: "joining is retried for as long as the server runs" },
  retry_interval: { notNeeded: "joining is retried with its own back-off" },
} as const satisfies Table;

const SERVER = {
  enabled: "bool",
  join: "strings+",
  ...SERVER_JOIN,
  server_join: { block: SERVER_JOIN },
  heartbeat_grace: "duration",
  min_heartbeat_ttl: "duration",
  max_heartbeats_per_second: "number",
  failover_heartbeat_ttl: "duration",
  lease_ttl: "duration",
  eval_nack_timeout: "duration",
  eval_delivery_limit: "int",
  num_schedulers: "int",
  enabled_schedulers: "strings",
  job_default_priority: "int",
  job_max_priority: "int",
  job_max_count: "int",
  job_max_source_size: "string",
  snapshot_entries: "int",
  job_gc_interval: "duration",
  job_gc_threshold: "duration",
  eval_gc_threshold: "duration",
  batch_eval_gc_threshold: "duration",
  deployment_gc_threshold: "duration",
  node_gc_threshold: "duration",
  snapshot_bytes: "int",
  snapshot_age: "duration",
  durability: "string",
  bootstrap_expect: "int",
  encrypt: NO_GOSSIP,
  rejoin_after_leave: NO_GOSSIP,
  protocol_version: NO_GOSSIP,
  raft_protocol: NO_RAFT,
  raft_multiplier: NO_RAFT,
  raft_boltdb: NO_RAFT,
  raft_snapshot_threshold: { notNeeded: "use snapshot_entries" },
  raft_snapshot_interval: { notNeeded: "use snapshot_entries" },
  raft_trailing_logs: NO_RAFT,
  non_voting_server: NO_RAFT,
  ...(unsupported(
    "authoritative_region",
    "data_dir",
    "csi_volume_claim_gc_interval",
    "csi_volume_claim_gc_threshold",
    "csi_plugin_gc_threshold",
    "acl_token_gc_threshold",
    "root_key_gc_interval",
    "root_key_gc_threshold",
    "root_key_rotation_threshold",
    "redundancy_zone",
    "upgrade_version",
    "default_scheduler_config",
    "plan_rejection_tracker",
    "enable_event_broker",
    "event_buffer_size",
    "license_path",
    "search",
    "deploy_query_rate_limit",
    "job_tracked_versions",
    "oidc_issuer",
    "client_introduction",
    "start_timeout",
  ) as object),
} as const satisfies Table;

const CLIENT = {
  enabled: "bool",
  servers: "strings+",
  ...SERVER_JOIN,
  server_join: { block: SERVER_JOIN },
  node_class: "string",
  node_pool: "string",
  meta: "map",
  options: "map",
  alloc_dir: "string",
  state_dir: "string",
  reserved: { block: { cpu: "int", memory: "int", disk: "int", reserved_ports: "string", cores: "unsupported" } },
  cpu_total_compute: "int",
  memory_total_mb: "int",
  disk_total_mb: "int",
  disk_free_mb: "int",
  network_interface: "string",
  max_kill_timeout: "duration",
  min_dynamic_port: "int",
  max_dynamic_port: "int",
  gc_interval: "duration",
  gc_parallel_destroys: "int",
  gc_disk_usage_threshold: "number",
  gc_inode_usage_threshold: "number",
  gc_max_allocs: "int",
  host_volume: { labelled: { path: "string", read_only: "bool" } },
  no_host_uuid: { notNeeded: "a node's id is always random and kept under state_dir" },
  ...(unsupported(
    "alloc_mounts_dir",
    "host_volumes_dir",
    "host_volume_plugin_dir",
    "common_plugin_dir",
    "chroot_env",
    "preferred_address_family",
    "network_speed",
    "reservable_cores",
    "client_max_port",
    "client_min_port",
    "node_max_allocs",
    "gc_volumes_on_node_gc",
    "disable_remote_exec",
    "template",
    "cni_path",
    "cni_config_dir",
    "bridge_network_name",
    "bridge_network_subnet",
    "bridge_network_subnet_ipv6",
    "bridge_network_hairpin_mode",
    "host_network",
    "bind_wildcard_default_host_network",
    "cgroup_parent",
    "nomad_service_discovery",
    "artifact",
    "drain_on_shutdown",
    "users",
    "fingerprint",
    "log_file",
  ) as object),
} as const satisfies Table;

const NATS = {
  servers: "strings",
  replicas: "int",
  user: "string",
  password: "string",
  token: "string",
  credentials_file: "string",
  tls: { block: { ca_file: "string", cert_file: "string", key_file: "string" } },
} as const satisfies Table;

// Spelled out, so that a typing error in one of these blocks is told apart from what is merely not supported.
const TELEMETRY = unsupported(
  "in_memory_collection_interval",
  "in_memory_retention_period",
  "statsite_address",
  "statsd_address",
  "datadog_address",
  "datadog_tags",
  "prometheus_metrics",
  "disable_hostname",
  "use_node_name",
  "collection_interval",
  "publish_allocation_metrics",
  "publish_node_metrics",
  "include_alloc_metadata_in_metrics",
  "allowed_metadata_keys_in_metrics",
  "prefix_filter",
  "filter_default",
  "disable_tagged_metrics",
  "backwards_compatible_metrics",
  "disable_dispatched_job_summary_metrics",
  "disable_quota_utilization_metrics",
  "disable_rpc_rate_metrics_labels",
  "disable_allocation_hook_metrics",
  "circonus_api_token",
  "circonus_api_app",
  "circonus_api_url",
  "circonus_submission_interval",
  "circonus_submission_url",
  "circonus_check_id",
  "circonus_check_force_metric_activation",
  "circonus_check_instance_id",
  "circonus_check_search_tag",
  "circonus_check_tags",
  "circonus_check_display_name",
  "circonus_broker_id",
  "circonus_broker_select_tag",
);
const ACL = unsupported(
  "enabled",
  "token_ttl",
  "policy_ttl",
  "role_ttl",
  "replication_token",
  "token_min_expiration_ttl",
  "token_max_expiration_ttl",
);
const TLS = {
  http: "bool",
  rpc: "bool",
  ca_file: "string",
  cert_file: "string",
  key_file: "string",
  tls_min_version: "string",
  verify_https_client: "bool",
  verify_server_hostname: "bool",
  ...(unsupported("rpc_upgrade_mode", "tls_cipher_suites", "tls_prefer_server_cipher_suites") as object),
} as const satisfies Table;
const LIMITS = {
  http_max_conns_per_client: "int",
  ...(unsupported("https_handshake_timeout", "rpc_handshake_timeout", "rpc_max_conns_per_client") as object),
} as const satisfies Table;
/** Not in Nomad, where only a few routes can be called by pages of other origins, and then by all. */
const CORS = {
  allowed_origins: "strings",
  allowed_headers: "strings",
  allow_credentials: "bool",
  max_age: "duration",
} as const satisfies Table;

/** Every option of an agent file. A name that is not here is unknown. */
export const OPTIONS = {
  name: "string",
  region: "string",
  datacenter: "string",
  data_dir: "string",
  bind_addr: "string",
  log_level: "string",
  log_json: "bool",
  ports: { block: { http: "int", rpc: "int", serf: NO_GOSSIP } },
  addresses: { block: { http: "string", rpc: "string", serf: NO_GOSSIP } },
  advertise: { block: { http: "string", rpc: "string", serf: NO_GOSSIP } },
  server: { block: SERVER },
  client: { block: CLIENT },
  worker: { block: { enabled: "bool" } },
  nats: { block: NATS },
  telemetry: { block: TELEMETRY },
  acl: { block: ACL },
  tls: { block: TLS },
  limits: { block: LIMITS },
  cors: { block: CORS },
  http_api_response_headers: "map",
  enable_debug: "bool",
  disable_update_check: NO_UPDATE_CHECK,
  disable_anonymous_signature: NO_UPDATE_CHECK,
  ...(unsupported(
    "plugin_dir",
    "plugin",
    "consul",
    "vault",
    "ui",
    "rpc",
    "sentinel",
    "autopilot",
    "audit",
    "reporting",
    "keyring",
    "eventlog",
    "leave_on_interrupt",
    "leave_on_terminate",
    "enable_syslog",
    "syslog_facility",
    "log_file",
    "log_include_location",
    "log_rotate_bytes",
    "log_rotate_duration",
    "log_rotate_max_files",
  ) as object),
} as const satisfies Table;

/** One file's, or all files', options as written. */
export type FileOptions = Decoded<typeof OPTIONS>;

/** Options that say who may do what: who asks for them must not get an agent that lets everybody. */
export const NEVER_IGNORED: ReadonlyMap<string, string> = new Map([["acl.enabled", "every request would be allowed"]]);
