/**
 * The closed list of what can be wrong with a request. Both mappings below are total, so a new
 * code does not compile until it has an HTTP status and a gRPC status.
 *
 * - `invalid`: malformed input, refused before anything was looked up.
 * - `refused`: well-formed, but the state or a rule says no. The API answers 500 with the reason.
 * - `unserved`: a part of the API that this agent, or this edition, does not serve.
 * - `outcome-unknown`: a write was sent on and no answer came; it may or may not take effect.
 * - `no-quorum`: the region's log takes no writes now. `no-leader` is the same seen from another
 *   region, where the API has its own status for it.
 * - `key-reused`: a request ID of the client that stands for another request.
 * - `stale-term`, `stale-plan`: answers of the state machine to leaders and workers only.
 */
export type ErrorCode =
  | "invalid"
  | "not-found"
  | "refused"
  | "permission-denied"
  | "method"
  | "unserved"
  | "too-large"
  | "no-path-to-region"
  | "no-leader"
  | "no-quorum"
  | "outcome-unknown"
  | "timeout"
  | "key-reused"
  | "stale-term"
  | "stale-plan"
  | "internal";

export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  "not-found": 404,
  refused: 500,
  "permission-denied": 403,
  method: 405,
  unserved: 501,
  "too-large": 413,
  "no-path-to-region": 500,
  "no-leader": 500,
  "no-quorum": 503,
  "outcome-unknown": 500,
  timeout: 504,
  "key-reused": 422,
  "stale-term": 500,
  "stale-plan": 500,
  internal: 500,
};

/** Numbers of https://grpc.github.io/grpc/core/md_doc_statuscodes.html. */
export const GRPC_STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 3,
  "not-found": 5,
  refused: 9,
  "permission-denied": 7,
  method: 12,
  unserved: 12,
  "too-large": 8,
  "no-path-to-region": 14,
  "no-leader": 14,
  "no-quorum": 14,
  "outcome-unknown": 2,
  timeout: 4,
  "key-reused": 6,
  "stale-term": 10,
  "stale-plan": 10,
  internal: 13,
};

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(HTTP_STATUS, code);
}

/** A failure whose text may be shown to the client as it stands. */
export class SteppeError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SteppeError";
    this.code = code;
  }
}
