// Server reflection: tells clients of any language what is served here, so that they need no copy of the contract.
import type { Server, ServerDuplexStream } from "@grpc/grpc-js";
import type { Descriptor } from "@steppe/proto/descriptors";
import { UNIMPLEMENTED } from "../grpc-errors.ts";
import { type Answer, decodeRequest, encodeResponse, type ReflectionRequest } from "./messages.ts";

const SERVICE_NAMES = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

const NOT_FOUND = 5;

/** `services`: full names of what is served beside this. */
export function addReflection(server: Server, services: readonly string[]): void {
  for (const name of SERVICE_NAMES) {
    const method = {
      path: `/${name}/ServerReflectionInfo`,
      requestStream: true,
      responseStream: true,
      requestSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
      requestDeserialize: decodeRequest,
      responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
      responseDeserialize: (bytes: Buffer): Uint8Array => bytes,
    };
    const handler = (call: ServerDuplexStream<ReflectionRequest, Uint8Array>) => {
      // Loaded by the first who asks: a server starts without it, and most are never asked.
      const loaded = import("@steppe/proto/descriptors").then(({ descriptors }) => descriptors);
      // Answers come in the order of the questions.
      let answered: Promise<unknown> = loaded;
      call.on("data", (request: ReflectionRequest) => {
        answered = loaded.then((files) => call.write(encodeResponse(request, answerTo(request, services, files))));
      });
      call.on("end", () => void answered.then(() => call.end()));
    };
    server.addService({ ServerReflectionInfo: method }, { ServerReflectionInfo: handler });
  }
}

function answerTo({ question }: ReflectionRequest, services: readonly string[], files: readonly Descriptor[]): Answer {
  switch (question.kind) {
    case "services":
      return { kind: "services", names: [...services, ...SERVICE_NAMES].sort() };
    case "file":
      return filesOf(files, ({ name }) => name === question.name, question.name);
    case "symbol":
      return filesOf(files, ({ symbols }) => symbols.includes(question.name), question.name);
    case "other":
      return { kind: "error", code: UNIMPLEMENTED, message: "there are no extensions here that a client needs" };
  }
}

/** A file with all that it is built on: a client would ask for those next. */
function filesOf(files: readonly Descriptor[], isAsked: (file: Descriptor) => boolean, asked: string): Answer {
  const first = files.find(isAsked);
  if (first === undefined) return { kind: "error", code: NOT_FOUND, message: `${asked} is not known here` };
  const found = new Set([first]);
  for (const { dependencies } of found) {
    for (const file of files) if (dependencies.includes(file.name)) found.add(file);
  }
  return { kind: "files", descriptors: [...found].map(({ base64 }) => Buffer.from(base64, "base64")) };
}
