import type { Endpoint } from "./addresses.ts";

/** trace … error as in Nomad's files (any case); `silent` is Nomad's `off`. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

export type SchedulerType = "service" | "batch" | "system" | "sysbatch";

/** How this process runs: everything filled in and checked. Durations are in milliseconds. */
export interface AgentConfig {
  /** `-dev`: server and client in one process that keeps nothing. */
  readonly dev: boolean;
  /** Unique in the region. Default: the machine's host name. */
  readonly name: string;
  /** Default "global". */
  readonly region: string;
  /** Default "dc1". */
  readonly datacenter: string;
  /** Absolute. Empty only with `dev`: then the process makes a temporary one and removes it at the end. */
  readonly dataDir: string;
  /** Default "0.0.0.0", with `dev` "127.0.0.1". */
  readonly bindAddr: string;
  /** Default 4646 and 4647. 0: the operating system chooses. */
  readonly ports: { readonly http: number; readonly rpc: number };
  /** Hosts to listen on. Default: `bindAddr`. */
  readonly addresses: { readonly http: string; readonly rpc: string };
  /** What others are told. Port 0 stands for the port the operating system chose. */
  readonly advertise: { readonly http: Endpoint; readonly rpc: Endpoint };
  /** Default "info", with `dev` "debug". */
  readonly logLevel: LogLevel;
  /** Default false: pretty on a terminal, JSON otherwise. True: JSON always. */
  readonly logJson: boolean;
  readonly http: HttpConfig;
  /** Profiles and facts of the host are served. Default false, with `dev` true. */
  readonly enableDebug: boolean;
  readonly server: ServerConfig;
  readonly client: ClientConfig;
  /** A process that only schedules. Default false. */
  readonly worker: { readonly enabled: boolean };
  /** Undefined: HTTP and gRPC in clear text. */
  readonly tls: TlsConfig | undefined;
  /** Absent: the embedded log under `dataDir`, for one server process. */
  readonly nats: NatsConfig | undefined;
}

export interface HttpConfig {
  /** Sent with every reply, by name as written. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Connections from one address; 0: any number. Default 100, with `dev` 0. */
  readonly connsPerClientMax: number;
  /** Undefined: pages of other origins may call nothing. */
  readonly cors: CorsConfig | undefined;
}

export interface CorsConfig {
  /** `scheme://host:port`, or "*" for all. */
  readonly allowedOrigins: readonly string[];
  /** Beside those of the API itself. */
  readonly allowedHeaders: readonly string[];
  readonly allowCredentials: boolean;
  /** How long a browser may keep what it was allowed. Default 10 minutes. */
  readonly maxAgeMs: number;
}

export interface ServerConfig {
  readonly enabled: boolean;
  /** gRPC addresses `host:port` of servers of any region; those of this region find each other through NATS as well. */
  readonly join: readonly string[];
  /** How much later than its TTL a heartbeat may come. Default 10 s. */
  readonly heartbeatGraceMs: number;
  /** Default 10 s. */
  readonly minHeartbeatTtlMs: number;
  /** The TTL grows with the number of nodes so that no more come in. Default 50. */
  readonly maxHeartbeatsPerSecond: number;
  /** The TTL of every node after a change of leader. Default 300 s. */
  readonly failoverHeartbeatTtlMs: number;
  /** How long leader duties rest after the lease holder dies, at most. Default 3 s. */
  readonly leaseTtlMs: number;
  /** A worker that has not answered for so long loses its evaluation. Default 60 s. */
  readonly evalNackTimeoutMs: number;
  /** After so many failed deliveries an evaluation is marked failed. Default 3. */
  readonly evalDeliveryLimit: number;
  /** Workers inside the server process. 0: none; then worker processes must run. Default 1. */
  readonly numSchedulers: number;
  /** Default: all four. */
  readonly enabledSchedulers: readonly SchedulerType[];
  /** Default 50. */
  readonly jobDefaultPriority: number;
  /** Default 100. */
  readonly jobMaxPriority: number;
  /** Allocations one job may ask for. Default 50,000. */
  readonly jobMaxCount: number;
  /** Bytes of a job's source that are kept, at most 700,000, which is the default. 0: none is kept. */
  readonly jobMaxSourceBytes: number;
  readonly gc: ServerGcConfig;
  /** A snapshot is made after so many entries. Default 20,000. */
  readonly snapshotEntries: number;
  /** Or after so many bytes of entries. Default 64 MiB. */
  readonly snapshotBytes: number;
  /** Or once the last one is so old and anything was written since. Default 1 h. */
  readonly snapshotAgeMs: number;
  /**
   * `journal`: a write is acknowledged once it is also on this server's own disk. `log`: JetStream is
   * trusted alone. Default `journal`; without NATS the log itself is on this server's disk.
   */
  readonly durability: "journal" | "log";
  /** Servers of the region that must take part before its log is made, or made anew, by itself. Undefined: not configured. */
  readonly bootstrapExpect: number | undefined;
}

/** How old what has ended must be before it is taken away. */
export interface ServerGcConfig {
  /** Default 5 min. */
  readonly intervalMs: number;
  /** Default 4 h. */
  readonly jobMs: number;
  /** Of evaluations, and of allocations. Default 1 h. */
  readonly evaluationMs: number;
  /** The same of batch jobs that are still there. Default 24 h. */
  readonly batchEvaluationMs: number;
  /** Default 1 h. */
  readonly deploymentMs: number;
  /** Default 24 h. */
  readonly nodeMs: number;
}

export interface ClientConfig {
  readonly enabled: boolean;
  /** gRPC addresses `host:port` of servers of this region. Empty where this process is a server: then itself. */
  readonly servers: readonly string[];
  /** Default "". */
  readonly nodeClass: string;
  /** Default "default". */
  readonly nodePool: string;
  readonly meta: Readonly<Record<string, string>>;
  /** Driver and fingerprint options, `driver.raw_exec.enable` and the like. */
  readonly options: Readonly<Record<string, string>>;
  /** Absolute. Default: `alloc` under `dataDir`; empty when that is. */
  readonly allocDir: string;
  /** Absolute. Default: `client` under `dataDir`; empty when that is. */
  readonly stateDir: string;
  /** Kept from jobs. Default: nothing. */
  readonly reserved: ReservedResources;
  /** MHz; 0: as measured. */
  readonly cpuTotalCompute: number;
  /** 0: as measured. */
  readonly memoryTotalMb: number;
  /** 0: as measured. */
  readonly diskTotalMb: number;
  /** 0: as measured. */
  readonly diskFreeMb: number;
  /** Empty: the one with the default route. */
  readonly networkInterface: string;
  /** No task may ask for longer. Default 30 s. */
  readonly maxKillTimeoutMs: number;
  /** Inclusive. Default 20000 to 32000. */
  readonly dynamicPorts: { readonly min: number; readonly max: number };
  readonly gc: ClientGcConfig;
  /** By name. */
  readonly hostVolumes: Readonly<Record<string, HostVolumeConfig>>;
}

export interface ReservedResources {
  /** MHz. */
  readonly cpu: number;
  readonly memoryMb: number;
  readonly diskMb: number;
  /** Ascending, no port twice. */
  readonly ports: readonly number[];
}

export interface ClientGcConfig {
  /** Default 60 s. */
  readonly intervalMs: number;
  /** Default 2. */
  readonly parallelDestroys: number;
  /** Percent. Default 80. */
  readonly diskUsageThreshold: number;
  /** Percent. Default 70. */
  readonly inodeUsageThreshold: number;
  /** Terminal allocations kept on the node. Default 50. */
  readonly maxAllocs: number;
}

export interface HostVolumeConfig {
  /** Absolute. */
  readonly path: string;
  readonly readOnly: boolean;
}

/** Paths are absolute, the files PEM. */
export interface TlsConfig {
  readonly http: boolean;
  /** gRPC: between servers, regions and node agents; always mutual. */
  readonly rpc: boolean;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Certificates must name role and region, `server.eu.steppe`. Default true. */
  readonly verifyServerHostname: boolean;
  /** HTTP clients must show a certificate of `caFile`. Default false. */
  readonly verifyHttpsClient: boolean;
  /** Default TLSv1.2. */
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

export interface NatsConfig {
  /** `nats://host:port`, `tls://host:port` or `host:port`; at least one. */
  readonly servers: readonly string[];
  /** Copies of the log and of the snapshots: 1, 3 or 5. Default 1. */
  readonly replicas: number;
  readonly auth: NatsAuth;
  /** Undefined: as the URL says. */
  readonly tls: NatsTlsConfig | undefined;
}

export type NatsAuth =
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "credentials"; readonly file: string };

/** Paths of PEM files; undefined: none. Certificate and key come together. */
export interface NatsTlsConfig {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}
