import type { ServiceDefinition as GrpcJsDefinition } from "@grpc/grpc-js";
import type { ServiceDefinition } from "@steppe/model";
import { JobGetResponse } from "@steppe/proto";
import { encodeJobAnswer, KeptJobs } from "./job-answers.ts";

/** One method as the wire knows it. Messages are encoded as they are: no defaults filled in, no copy. */
export interface GrpcMethod<Request = unknown, Response = unknown> {
  /** `/steppe.v1.Jobs/Get` */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  encodeRequest(message: Request): Uint8Array;
  decodeRequest(bytes: Uint8Array): Request;
  encodeResponse(message: Response): Uint8Array;
  decodeResponse(bytes: Uint8Array): Response;
}

type Methods<D extends ServiceDefinition> = {
  readonly [M in keyof D["methods"]]: GrpcMethod<
    ReturnType<D["methods"][M]["requestType"]["decode"]>,
    ReturnType<D["methods"][M]["responseType"]["decode"]>
  >;
};

const keptJobs = new KeptJobs();

const JOB_ANSWERS = {
  encodeResponse: (answer: unknown) => encodeJobAnswer(answer as JobGetResponse),
  decodeResponse: (bytes: Uint8Array) => keptJobs.decode(bytes),
};

/** The methods of a definition that `npm run generate` makes, by their names there. */
export function grpcMethods<D extends ServiceDefinition>(definition: D): Methods<D> {
  const methods: Record<string, GrpcMethod> = {};
  for (const [name, method] of Object.entries(definition.methods)) {
    methods[name] = {
      path: `/${definition.fullName}/${method.name}`,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      encodeRequest: (message) => method.requestType.encode(message).finish(),
      decodeRequest: (bytes) => method.requestType.decode(bytes),
      encodeResponse: (message) => method.responseType.encode(message).finish(),
      decodeResponse: (bytes) => method.responseType.decode(bytes),
      ...(method.responseType === JobGetResponse && JOB_ANSWERS),
    };
  }
  return methods as Methods<D>;
}

/** The same methods as grpc-js wants them for a server whose handlers answer with encoded messages. */
export function grpcJsDefinition(definition: ServiceDefinition): GrpcJsDefinition {
  const entries = Object.entries(grpcMethods(definition)).map(([name, method]) => [
    name,
    {
      path: method.path,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      requestSerialize: (message: unknown) => asBuffer(method.encodeRequest(message)),
      requestDeserialize: (bytes: Buffer) => method.decodeRequest(bytes),
      responseSerialize: (bytes: Uint8Array) => asBuffer(bytes),
      responseDeserialize: (bytes: Buffer) => method.decodeResponse(bytes),
    },
  ]);
  return Object.fromEntries(entries);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
