import { parseByteSize } from "./byte-size.ts";
import type { Checks } from "./checks.ts";
import type { ServerConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { type JoinOptions, joinAddresses } from "./join.ts";
import type { FileOptions } from "./options.ts";

type ServerOptions = NonNullable<FileOptions["server"]>;

// The nearest a lease may be cut: below it a slow append would be taken for a dead leader.
const LEASE_TTL_MS_MIN = 200;
const PRIORITY_MAX = 32_766;

export function compileServer(options: ServerOptions, enabled: boolean, checks: Checks): ServerConfig {
  const base = DEFAULTS.server;
  return {
    enabled,
    join: joinAddresses(options as JoinOptions, "server", checks),
    heartbeatGraceMs: checks.durationMs("server.heartbeat_grace", options.heartbeat_grace ?? base.heartbeatGraceMs, 0),
    minHeartbeatTtlMs: checks.durationMs(
      "server.min_heartbeat_ttl",
      options.min_heartbeat_ttl ?? base.minHeartbeatTtlMs,
      1,
    ),
    maxHeartbeatsPerSecond: positive(
      "server.max_heartbeats_per_second",
      options.max_heartbeats_per_second ?? base.maxHeartbeatsPerSecond,
      checks,
    ),
    failoverHeartbeatTtlMs: checks.durationMs(
      "server.failover_heartbeat_ttl",
      options.failover_heartbeat_ttl ?? base.failoverHeartbeatTtlMs,
      1,
    ),
    leaseTtlMs: checks.durationMs("server.lease_ttl", options.lease_ttl ?? base.leaseTtlMs, LEASE_TTL_MS_MIN),
    evalNackTimeoutMs: checks.durationMs(
      "server.eval_nack_timeout",
      options.eval_nack_timeout ?? base.evalNackTimeoutMs,
      1,
    ),
    evalDeliveryLimit: checks.atLeast(
      "server.eval_delivery_limit",
      options.eval_delivery_limit ?? base.evalDeliveryLimit,
      1,
    ),
    numSchedulers: checks.between("server.num_schedulers", options.num_schedulers ?? base.numSchedulers, 0, 64),
    enabledSchedulers: enabledSchedulers(options, checks),
    ...priorities(options, checks),
    jobMaxCount: checks.atLeast("server.job_max_count", options.job_max_count ?? base.jobMaxCount, 1),
    jobMaxSourceBytes: sourceBytes(options.job_max_source_size, checks),
    gc: gc(options, checks),
    snapshotEntries: checks.atLeast("server.snapshot_entries", options.snapshot_entries ?? base.snapshotEntries, 1),
    snapshotBytes: checks.atLeast("server.snapshot_bytes", options.snapshot_bytes ?? base.snapshotBytes, 1),
    snapshotAgeMs: checks.durationMs("server.snapshot_age", options.snapshot_age ?? base.snapshotAgeMs, 1000),
    durability: checks.oneOf("server.durability", options.durability ?? base.durability, ["journal", "log"]),
    bootstrapExpect:
      options.bootstrap_expect === undefined || options.bootstrap_expect === 0
        ? undefined
        : checks.between("server.bootstrap_expect", options.bootstrap_expect, 1, 99),
  };
}

/** More than fits beside the job is taken as what fits: files written for Nomad may say so. */
function sourceBytes(size: string | undefined, checks: Checks): number {
  const most = DEFAULTS.server.jobMaxSourceBytes;
  if (size === undefined) return most;
  const bytes = parseByteSize(size) ?? checks.refuse("server.job_max_source_size", `must be a size such as "500kB"`);
  return Math.min(bytes, most);
}

function gc(options: ServerOptions, checks: Checks): ServerConfig["gc"] {
  const base = DEFAULTS.server.gc;
  const duration = (name: keyof ServerOptions & `${string}_gc_${string}`, otherwise: number, least = 0) =>
    checks.durationMs(`server.${name}`, (options[name] as number | undefined) ?? otherwise, least);
  return {
    intervalMs: duration("job_gc_interval", base.intervalMs, 1),
    jobMs: duration("job_gc_threshold", base.jobMs),
    evaluationMs: duration("eval_gc_threshold", base.evaluationMs),
    batchEvaluationMs: duration("batch_eval_gc_threshold", base.batchEvaluationMs),
    deploymentMs: duration("deployment_gc_threshold", base.deploymentMs),
    nodeMs: duration("node_gc_threshold", base.nodeMs),
  };
}

function positive(path: string, value: number, checks: Checks): number {
  return value > 0 ? value : checks.refuse(path, `must be above 0, not ${value}`);
}

function enabledSchedulers(options: ServerOptions, checks: Checks): ServerConfig["enabledSchedulers"] {
  const all = DEFAULTS.server.enabledSchedulers;
  const path = "server.enabled_schedulers";
  // Nomad's own garbage collection scheduler may be listed; here that work is no evaluation.
  const listed = (options.enabled_schedulers ?? all).filter((type) => type !== "_core");
  return [...new Set(listed.map((type) => checks.oneOf(path, type, all)))];
}

function priorities(
  options: ServerOptions,
  checks: Checks,
): Pick<ServerConfig, "jobDefaultPriority" | "jobMaxPriority"> {
  const jobMaxPriority = checks.between(
    "server.job_max_priority",
    options.job_max_priority ?? DEFAULTS.server.jobMaxPriority,
    DEFAULTS.server.jobMaxPriority,
    PRIORITY_MAX,
  );
  const jobDefaultPriority = checks.between(
    "server.job_default_priority",
    options.job_default_priority ?? DEFAULTS.server.jobDefaultPriority,
    DEFAULTS.server.jobDefaultPriority,
    jobMaxPriority - 1,
  );
  return { jobDefaultPriority, jobMaxPriority };
}
