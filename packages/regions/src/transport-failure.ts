/**
 * No answer came. A server that answered, if only with an error, is never a transport failure.
 *
 * - `refused`: no connection could be made; the request went nowhere.
 * - `lost`: the connection or the stream ended before the answer.
 * - `deadline`: the caller's time ran out first.
 */
export type TransportFailureKind = "refused" | "lost" | "deadline";

export class TransportFailure extends Error {
  readonly kind: TransportFailureKind;
  /** The request may have arrived, so a write may have taken effect. */
  readonly reached: boolean;
  /** The server showed no sign of life for long enough that it is to be avoided. */
  readonly silent: boolean;

  constructor(
    kind: TransportFailureKind,
    message: string,
    options: { reached: boolean; silent: boolean; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TransportFailure";
    this.kind = kind;
    this.reached = options.reached;
    this.silent = options.silent;
  }
}
