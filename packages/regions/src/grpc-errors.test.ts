import { HTTP_STATUS, isErrorCode, SteppeError } from "@steppe/model";
import { JobGetRequest } from "@steppe/proto";
import { afterEach, describe, expect, it } from "vitest";
import { statusError } from "./call-headers.ts";
import { CODE_TRAILER, decodeError, encodeError } from "./grpc-errors.ts";
import { Cleanup, call, caller, quiet, recordingLogger, serve, services } from "./testkit.ts";

const codes = Object.keys(HTTP_STATUS).filter(isErrorCode);
const cleanup = new Cleanup();
afterEach(() => cleanup.run());

function failureOver(error: unknown, logger = quiet): Promise<unknown> {
  return failureOf(() => Promise.reject(error), logger);
}

async function failureOf(get: () => Promise<object>, logger = quiet): Promise<unknown> {
  const server = await serve(cleanup, { region: services({ "jobs.get": get }) }, logger);
  const { router } = caller(cleanup, [server.port]);
  return router
    .route("eu")
    .jobs.get(JobGetRequest.create({ JobID: "web" }), call())
    .then(
      () => undefined,
      (failure: unknown) => failure,
    );
}

describe("errors over gRPC", () => {
  it.each(codes)("code %s, encoded and decoded, is the same with its text", (code) => {
    const error = new SteppeError(code, "job not found");

    expect(decodeError(encodeError(error, "Jobs.get", quiet))).toEqual(error);
  });

  it.each([
    "2 errors occurred:\n\t* Missing job name\n\t* größer als 100%\n\n",
    "日本 🦊 %41 %zz # & ; \r\n\0 ~",
    "half a pair: \ud83e!",
    "",
  ])("text %j, over a connection, arrives whole", async (message) => {
    const failure = await failureOver(new SteppeError("invalid", message));

    expect(failure).toMatchObject({ code: "invalid", message: message.toWellFormed() });
  });

  it("text too long for a header, arrives shortened", async () => {
    const failure = (await failureOver(new SteppeError("invalid", "ü".repeat(50_000)))) as SteppeError;

    expect(failure.code).toBe("invalid");
    expect(failure.message).toMatch(/^ü{4000,}\.\.\.$/);
  });

  it("error that is none of ours, is internal to the peer and whole in the log", async () => {
    const logger = recordingLogger();
    const cause = new Error("disk /var/lib/secret is full");
    const failure = await failureOver(new Error("append failed", { cause }), logger);

    expect(failure).toMatchObject({ code: "internal", message: "internal error" });
    expect(logger.lines).toMatchObject([{ level: "error", fields: { err: { cause }, method: "/steppe.v1.Jobs/Get" } }]);
  });

  it("answer that is no message of the contract, is internal to the peer and named in the log", async () => {
    const logger = recordingLogger();
    const failure = await failureOf(() => Promise.resolve({ Job: { ID: 5 } }), logger);

    expect(failure).toMatchObject({ code: "internal", message: "internal error" });
    expect(logger.lines).toHaveLength(1);
  });

  it("region without quorum, is without leader when seen from another", async () => {
    expect(await failureOver(new SteppeError("no-quorum", "log takes no writes"))).toMatchObject({
      code: "no-leader",
      message: "No cluster leader",
    });
  });

  it("code that a newer peer made up, is internal with the peer's text", () => {
    const headers = { "grpc-status": "9", "grpc-message": "quota%20exceeded", [CODE_TRAILER]: "quota" };

    expect(statusError(headers)).toMatchObject({ code: "internal", message: "quota exceeded" });
  });

  it.each([
    [14, { name: "TransportFailure", kind: "lost", reached: true }],
    [1, { name: "TransportFailure", kind: "lost", reached: true }],
    [4, { name: "TransportFailure", kind: "deadline" }],
    [8, { code: "too-large" }],
    [12, { code: "internal" }],
    [2, { code: "internal" }],
  ])("status %i without our code, is the transport's", (status, expected) => {
    expect(decodeError({ status, message: "x" })).toMatchObject(expected);
  });
});
