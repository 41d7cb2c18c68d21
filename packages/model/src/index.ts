export { isReportedIds, packReports, type Report, reportedIds } from "./allocation-reports.ts";
export { type CanonicalDefaults, canonicalizeJob } from "./canonicalize/index.ts";
export {
  type ClaimAsk,
  claimAskOf,
  type DeviceAsk,
  type DeviceKind,
  type GivenPort,
  givenPorts,
  isDeviceKind,
  type PortAsk,
} from "./claims.ts";
export { type Clock, type Logger, type Random, silentLogger } from "./clock.ts";
export { computedClass } from "./computed-class.ts";
export { coreSpeed, reservableCores } from "./cores.ts";
export {
  ALLOCATION_DESCRIPTIONS,
  blockedEvaluationExists,
  DEPLOYMENT_DESCRIPTIONS,
  deliveryLimitReached,
  EVALUATION_DESCRIPTIONS,
  evaluationSuccessful,
  jobDeleted,
  maximumAttemptsReached,
  noRollbackTargetDescription,
  preemptedBy,
  rollbackDescription,
  rollbackNoOpDescription,
  unknownTrigger,
} from "./descriptions.ts";
export { combinedMeta, groupUpdate, specChanged } from "./diff.ts";
export { DISPATCH_PAYLOAD_MAX, type Dispatch, dispatchedChild, dispatchProblem } from "./dispatch.ts";
export { type ErrorCode, GRPC_STATUS, HTTP_STATUS, isErrorCode, SteppeError } from "./errors.ts";
export { Fifo } from "./fifo.ts";
export { type AppendFile, FileError, type FileErrorCode, type Files } from "./files.ts";
export { compileFilter, type FilterSubject } from "./filter/index.ts";
export { compareText, quote, quoteList } from "./go-text.ts";
export { deriveId, formatId, parseId } from "./ids.ts";
export { annotateDiff, diffJobs } from "./job-diff.ts";
export { fromJson, listToJson, toJson } from "./json.ts";
export { multiError } from "./multi-error.ts";
export { copyFor, namesRegions, regionsOf } from "./multiregion.ts";
export { type OlderResources, olderResources } from "./older-resources.ts";
export {
  cronSpecs,
  isParameterized,
  isPeriodic,
  isPeriodicActive,
  launchTimeOf,
  periodicChild,
  periodicChildId,
} from "./periodic.ts";
export { PORT_MAX, parsePortRanges } from "./port-ranges.ts";
export { compileRegexp, type Regexp } from "./regexp.ts";
export type { RegionServices } from "./region-services.ts";
export {
  isRescheduleEnabled,
  type NextReschedule,
  nextReschedule,
  RESCHEDULE_EVENTS_KEPT,
  trackReschedule,
} from "./reschedule.ts";
export { allocatedResources, type GroupResources, groupResources } from "./resources.ts";
export { sameMessage } from "./same.ts";
export type { Call, Service, ServiceDefinition } from "./service.ts";
export {
  CLIENT_STATUSES,
  type ClientStatus,
  DESIRED_STATUSES,
  type DesiredStatus,
  EVALUATION_STATUSES,
  type EvaluationStatus,
  isActiveDeployment,
  isClientTerminal,
  isEnqueueableEvaluation,
  isServerTerminal,
  isTerminalAllocation,
  isTerminalEvaluation,
  JOB_STATUSES,
  JOB_TYPES,
  type JobStatus,
  type JobType,
  NODE_ELIGIBILITIES,
  type NodeEligibility,
  ranSuccessfully,
  TRIGGERS,
  type Trigger,
} from "./status.ts";
export { isKnownTarget, isUniqueTarget, type NodeTargets, resolveTarget } from "./targets.ts";
export {
  formatDuration,
  formatTime,
  HOUR,
  MILLISECOND,
  MINUTE,
  NANOSECOND,
  parseDuration,
  parseTime,
  SECOND,
} from "./time.ts";
export { DEFAULT_LIMITS, jobWarnings, type ValidationLimits, validateJob } from "./validate/index.ts";
export { type Constraints, parseConstraints, satisfies, type VersionKind } from "./version.ts";
