export type { Clock, Logger, Random } from "./clock.ts";
export { type ErrorCode, GRPC_STATUS, HTTP_STATUS, isErrorCode, SteppeError } from "./errors.ts";
export { deriveId, formatId, parseId } from "./ids.ts";
export { fromJson, listToJson, toJson } from "./json.ts";
export type { Call, Service, ServiceDefinition } from "./service.ts";
export { formatDuration, formatTime, HOUR, MILLISECOND, MINUTE, parseDuration, parseTime, SECOND } from "./time.ts";
