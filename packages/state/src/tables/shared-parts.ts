import type {
  AllocMetric,
  Deployment,
  DisconnectStrategy,
  EphemeralDisk,
  Evaluation,
  Job,
  LogConfig,
  MigrateStrategy,
  ReschedulePolicy,
  Resources,
  RestartPolicy,
  Task,
  TaskGroup,
  UpdateStrategy,
} from "@steppe/proto";
import { TextPool } from "./text-pool.ts";

/**
 * Makes equal parts of jobs, evaluations and deployments one object: lists and maps that are empty, as most are, policies, which
 * seldom differ from the defaults, and texts that every decoded message brings anew. What is shared is frozen, so that
 * whoever would change it in place is told so.
 */
export class SharedParts {
  readonly #region: RecentText;
  readonly #namespace: RecentText;
  readonly #type: RecentText;
  readonly #pool: RecentText;
  readonly #trigger: RecentText;
  readonly #status: RecentText;
  readonly #waiting = new LastText();
  readonly #rollout = new LastText();
  readonly #driver: RecentText;
  readonly #group: RecentText;
  readonly #task: RecentText;
  readonly #datacenters = new KnownParts<string[]>(sameTexts);
  readonly #updates = new KnownParts<UpdateStrategy>(sameUpdate);
  readonly #restarts = new KnownParts<RestartPolicy>(sameRestart);
  readonly #reschedules = new KnownParts<ReschedulePolicy>(sameReschedule);
  readonly #migrates = new KnownParts<MigrateStrategy>(sameMigrate);
  readonly #disconnects = new KnownParts<DisconnectStrategy>(sameDisconnect);
  readonly #disks = new KnownParts<EphemeralDisk>(sameDisk);
  readonly #logs = new KnownParts<LogConfig>(sameLogs);
  readonly #resources = new KnownParts<Resources>(sameResources);

  constructor(texts: TextPool) {
    // Apart from the state's, since a client may make up as many names as it likes.
    const names = new TextPool();
    this.#region = new RecentText(texts);
    this.#namespace = new RecentText(names);
    this.#type = new RecentText(texts);
    this.#pool = new RecentText(names);
    this.#trigger = new RecentText(texts);
    this.#status = new RecentText(texts);
    this.#driver = new RecentText(texts);
    this.#group = new RecentText(names);
    this.#task = new RecentText(names);
  }

  /** To a job that the state is to keep; what it says stays the same. */
  ofJob(job: Job): void {
    job.Region = this.#region.of(job.Region);
    job.Namespace = this.#namespace.of(job.Namespace);
    job.Type = this.#type.of(job.Type);
    job.NodePool = this.#pool.of(job.NodePool);
    job.Status = this.#status.of(job.Status);
    if (job.Name === job.ID) job.Name = job.ID;
    job.Datacenters = this.#datacenters.of(list(job.Datacenters));
    job.Constraints = list(job.Constraints);
    job.Affinities = list(job.Affinities);
    job.Spreads = list(job.Spreads);
    job.TaskGroups = list(job.TaskGroups);
    job.Update = job.Update && this.#updates.of(job.Update);
    job.Reschedule = job.Reschedule && this.#reschedules.of(job.Reschedule);
    job.Migrate = job.Migrate && this.#migrates.of(job.Migrate);
    job.Meta = map(job.Meta);
    for (const group of job.TaskGroups) this.#ofGroup(group);
  }

  #ofGroup(group: TaskGroup): void {
    group.Name = this.#group.of(group.Name);
    group.Constraints = list(group.Constraints);
    group.Affinities = list(group.Affinities);
    group.Spreads = list(group.Spreads);
    group.Tasks = list(group.Tasks);
    group.Volumes = map(group.Volumes);
    group.RestartPolicy = group.RestartPolicy && this.#restarts.of(group.RestartPolicy);
    group.ReschedulePolicy = group.ReschedulePolicy && this.#reschedules.of(group.ReschedulePolicy);
    group.Disconnect = group.Disconnect && this.#disconnects.of(group.Disconnect);
    group.EphemeralDisk = group.EphemeralDisk && this.#disks.of(group.EphemeralDisk);
    group.Update = group.Update && this.#updates.of(group.Update);
    group.Migrate = group.Migrate && this.#migrates.of(group.Migrate);
    group.Networks = list(group.Networks);
    group.Meta = map(group.Meta);
    group.Services = list(group.Services);
    for (const task of group.Tasks) this.#ofTask(task);
  }

  #ofTask(task: Task): void {
    task.Name = this.#task.of(task.Name);
    task.Driver = this.#driver.of(task.Driver);
    task.Constraints = list(task.Constraints);
    task.Affinities = list(task.Affinities);
    task.Env = map(task.Env);
    task.Services = list(task.Services);
    task.Resources = task.Resources && this.#ofResources(task.Resources);
    task.RestartPolicy = task.RestartPolicy && this.#restarts.of(task.RestartPolicy);
    task.Meta = map(task.Meta);
    task.LogConfig = task.LogConfig && this.#logs.of(task.LogConfig);
    task.Artifacts = list(task.Artifacts);
    task.Templates = list(task.Templates);
    task.VolumeMounts = list(task.VolumeMounts);
    task.ScalingPolicies = list(task.ScalingPolicies);
    task.Secrets = list(task.Secrets);
    task.Identities = list(task.Identities);
    task.Actions = list(task.Actions);
  }

  /** Those with lists that are not empty are compared by nothing, so they would only take the place of common ones. */
  #ofResources(resources: Resources): Resources {
    const { Networks, Devices, NUMA } = resources;
    const isPlain = Networks.length === 0 && Devices.length === 0 && NUMA === undefined;
    return isPlain ? this.#resources.of(resources) : resources;
  }

  /** To an evaluation that the state is to keep, of `job` where that is there. */
  ofEvaluation(evaluation: Evaluation, job?: Job): void {
    if (job !== undefined) evaluation.JobID = job.ID;
    evaluation.Namespace = this.#namespace.of(evaluation.Namespace);
    evaluation.Type = this.#type.of(evaluation.Type);
    evaluation.TriggeredBy = this.#trigger.of(evaluation.TriggeredBy);
    evaluation.Status = this.#status.of(evaluation.Status);
    evaluation.StatusDescription = this.#waiting.of(evaluation.StatusDescription);
    evaluation.RelatedEvals = list(evaluation.RelatedEvals);
    evaluation.MissingNonNodeResources = list(evaluation.MissingNonNodeResources);
    evaluation.FailedTGAllocs = map(evaluation.FailedTGAllocs);
    for (const group in evaluation.FailedTGAllocs) this.ofMetrics(evaluation.FailedTGAllocs[group] as AllocMetric);
    evaluation.ClassEligibility = map(evaluation.ClassEligibility);
    evaluation.QueuedAllocations = map(evaluation.QueuedAllocations);
  }

  /** To a deployment that the state is to keep, of `job` where that is there. */
  ofDeployment(deployment: Deployment, job?: Job): void {
    if (job !== undefined) deployment.JobID = job.ID;
    deployment.Namespace = this.#namespace.of(deployment.Namespace);
    deployment.Status = this.#status.of(deployment.Status);
    deployment.StatusDescription = this.#rollout.of(deployment.StatusDescription);
    for (const group of Object.values(deployment.TaskGroups)) group.PlacedCanaries = list(group.PlacedCanaries);
  }

  /** To the metrics of what was placed, or was not, that the state is to keep. */
  ofMetrics(metrics: AllocMetric): void {
    metrics.NodePool = this.#pool.of(metrics.NodePool);
    metrics.NodesAvailable = map(metrics.NodesAvailable);
    metrics.ClassFiltered = map(metrics.ClassFiltered);
    metrics.ConstraintFiltered = map(metrics.ConstraintFiltered);
    metrics.ClassExhausted = map(metrics.ClassExhausted);
    metrics.DimensionExhausted = map(metrics.DimensionExhausted);
    metrics.QuotaExhausted = list(metrics.QuotaExhausted);
    metrics.ResourcesExhausted = map(metrics.ResourcesExhausted);
    metrics.Scores = map(metrics.Scores);
    metrics.ScoreMetaData = list(metrics.ScoreMetaData);
  }
}

/** Texts of one field: mostly the one before comes again, which takes no hashing to see. */
class RecentText {
  readonly #texts: TextPool;
  #last = "";

  constructor(texts: TextPool) {
    this.#texts = texts;
  }

  of(text: string): string {
    if (text !== this.#last) this.#last = this.#texts.of(text);
    return this.#last;
  }
}

/** Of a field that may say anything, for which no pool is kept: mostly it says what it said before, or nothing. */
class LastText {
  #last = "";

  of(text: string): string {
    if (text === "") return text;
    if (text !== this.#last) this.#last = text;
    return this.#last;
  }
}

/** Those of a kind that came first. More would not be found faster than they are decoded. */
const KNOWN_MAX = 16;

/** Parts of one kind. */
class KnownParts<T extends object> {
  readonly #isSame: (known: T, part: T) => boolean;
  readonly #known: T[] = [];

  constructor(isSame: (known: T, part: T) => boolean) {
    this.#isSame = isSame;
  }

  of(part: T): T {
    for (const known of this.#known) if (known === part || this.#isSame(known, part)) return known;
    if (this.#known.length < KNOWN_MAX) this.#known.push(Object.freeze(part));
    return part;
  }
}

// A field that one of these leaves out is lost where only it differs; a test tries each.

function sameUpdate(a: UpdateStrategy, b: UpdateStrategy): boolean {
  return (
    a.MaxParallel === b.MaxParallel &&
    a.Canary === b.Canary &&
    a.AutoRevert === b.AutoRevert &&
    a.AutoPromote === b.AutoPromote &&
    a.Stagger === b.Stagger &&
    a.MinHealthyTime === b.MinHealthyTime &&
    a.HealthyDeadline === b.HealthyDeadline &&
    a.ProgressDeadline === b.ProgressDeadline &&
    a.HealthCheck === b.HealthCheck
  );
}

function sameRestart(a: RestartPolicy, b: RestartPolicy): boolean {
  return (
    a.Attempts === b.Attempts &&
    a.Interval === b.Interval &&
    a.Delay === b.Delay &&
    a.RenderTemplates === b.RenderTemplates &&
    a.Mode === b.Mode
  );
}

function sameReschedule(a: ReschedulePolicy, b: ReschedulePolicy): boolean {
  return (
    a.Attempts === b.Attempts &&
    a.Unlimited === b.Unlimited &&
    a.Interval === b.Interval &&
    a.Delay === b.Delay &&
    a.MaxDelay === b.MaxDelay &&
    a.DelayFunction === b.DelayFunction
  );
}

function sameMigrate(a: MigrateStrategy, b: MigrateStrategy): boolean {
  return (
    a.MaxParallel === b.MaxParallel &&
    a.MinHealthyTime === b.MinHealthyTime &&
    a.HealthyDeadline === b.HealthyDeadline &&
    a.HealthCheck === b.HealthCheck
  );
}

function sameDisconnect(a: DisconnectStrategy, b: DisconnectStrategy): boolean {
  return (
    a.LostAfter === b.LostAfter &&
    a.StopOnClientAfter === b.StopOnClientAfter &&
    a.Replace === b.Replace &&
    a.Reconcile === b.Reconcile
  );
}

function sameDisk(a: EphemeralDisk, b: EphemeralDisk): boolean {
  return a.Sticky === b.Sticky && a.Migrate === b.Migrate && a.SizeMB === b.SizeMB;
}

function sameLogs(a: LogConfig, b: LogConfig): boolean {
  return (
    a.MaxFiles === b.MaxFiles &&
    a.MaxFileSizeMB === b.MaxFileSizeMB &&
    a.Enabled === b.Enabled &&
    a.Disabled === b.Disabled
  );
}

/** Of such without networks, devices and NUMA. */
function sameResources(a: Resources, b: Resources): boolean {
  return (
    a.CPU === b.CPU &&
    a.MemoryMB === b.MemoryMB &&
    a.MemoryMaxMB === b.MemoryMaxMB &&
    a.Cores === b.Cores &&
    a.DiskMB === b.DiskMB &&
    a.IOPS === b.IOPS &&
    a.SecretsMB === b.SecretsMB
  );
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const NOTHING: readonly never[] = Object.freeze([]);
const NONE: Readonly<Record<string, never>> = Object.freeze({});

/** One to which elements were added has room for a dozen more: a copy has none. */
function list<T>(items: T[]): T[] {
  return items.length === 0 ? (NOTHING as never[]) : items.slice();
}

function map<T>(entries: { [key: string]: T }): { [key: string]: T } {
  for (const _ in entries) return entries;
  return NONE;
}
