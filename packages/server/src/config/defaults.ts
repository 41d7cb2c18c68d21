import type { LogLevel, SchedulerType } from "./config.ts";

/** What holds where no file and no flag says otherwise. Names and numbers without a remark are Nomad's own. */
export const DEFAULTS = {
  region: "global",
  datacenter: "dc1",
  bindAddr: "0.0.0.0",
  httpPort: 4646,
  rpcPort: 4647,
  logLevel: "info" as LogLevel,
  httpConnsPerClientMax: 100,
  enableDebug: false,
  corsMaxAgeMs: 600_000,
  server: {
    heartbeatGraceMs: 10_000,
    minHeartbeatTtlMs: 10_000,
    maxHeartbeatsPerSecond: 50,
    failoverHeartbeatTtlMs: 300_000,
    // Renewed every second, so two renewals may be lost; and scheduling pauses no longer than 3 s when a leader dies.
    leaseTtlMs: 3_000,
    evalNackTimeoutMs: 60_000,
    evalDeliveryLimit: 3,
    // A scheduler pass is synchronous and one thread: a second worker in the same process would gain nothing.
    numSchedulers: 1,
    enabledSchedulers: ["service", "batch", "system", "sysbatch"] as readonly SchedulerType[],
    jobDefaultPriority: 50,
    jobMaxPriority: 100,
    jobMaxCount: 50_000,
    // One entry of the log holds the job and its source, and NATS takes 1 MiB by default.
    jobMaxSourceBytes: 700_000,
    // At some thousand entries a second a replay of that many takes seconds, and snapshots stay seconds apart.
    snapshotEntries: 20_000,
    gc: {
      intervalMs: 300_000,
      jobMs: 4 * 3_600_000,
      evaluationMs: 3_600_000,
      batchEvaluationMs: 24 * 3_600_000,
      deploymentMs: 3_600_000,
      nodeMs: 24 * 3_600_000,
    },
    snapshotBytes: 64 * 1024 * 1024,
    snapshotAgeMs: 3_600_000,
    durability: "journal" as "journal" | "log",
  },
  client: {
    nodePool: "default",
    maxKillTimeoutMs: 30_000,
    dynamicPortMin: 20_000,
    dynamicPortMax: 32_000,
    gcIntervalMs: 60_000,
    gcParallelDestroys: 2,
    gcDiskUsageThreshold: 80,
    gcInodeUsageThreshold: 70,
    gcMaxAllocs: 50,
  },
  // A single nats-server is the smallest set-up; a cluster says 3.
  nats: { replicas: 1 },
} as const;

/** What `-dev` changes: nothing reachable from outside, raw_exec allowed, garbage left to be looked at. */
export const DEV_DEFAULTS = {
  bindAddr: "127.0.0.1",
  // Tests and benches of one's own come from one address.
  httpConnsPerClientMax: 0,
  enableDebug: true,
  logLevel: "debug" as LogLevel,
  clientOptions: { "driver.raw_exec.enable": "true" },
  gcIntervalMs: 600_000,
  // A developer's disk is often nearly full, which must not delete what was just run.
  gcDiskUsageThreshold: 99,
  gcInodeUsageThreshold: 99,
} as const;
