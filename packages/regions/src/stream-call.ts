import { SteppeError } from "@steppe/model";
import { TransportFailure } from "./transport-failure.ts";

/** The server says that it can do nothing, and has done nothing: its region's log is out of its reach. */
export function isCutOff(error: unknown): error is SteppeError {
  return error instanceof SteppeError && error.code === "no-quorum";
}

/**
 * The answers of the first server that gives any. One that is lost later ends the stream: only the reader
 * knows how far it came.
 */
export async function* firstThatStreams<Server>(
  servers: readonly Server[],
  open: (server: Server) => AsyncIterable<object>,
  none: (cause: TransportFailure | SteppeError | undefined) => Error,
): AsyncGenerator<object, void> {
  let last: TransportFailure | SteppeError | undefined;
  for (const server of servers) {
    let began = false;
    try {
      for await (const message of open(server)) {
        began = true;
        yield message;
      }
      return;
    } catch (error) {
      if (!(error instanceof TransportFailure) && !isCutOff(error)) throw error;
      if (began) throw new SteppeError("no-leader", "the server that gave this stream is gone", { cause: error });
      last = error;
    }
  }
  throw none(last);
}
