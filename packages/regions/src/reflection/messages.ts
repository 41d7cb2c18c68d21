// The messages of grpc.reflection.v1, of which v1alpha has the same bytes. Written out by hand: they are four fields
// of questions and four of answers, and the contract's own generator knows only the contract.
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

export type Question =
  | { readonly kind: "file"; readonly name: string }
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "services" }
  | { readonly kind: "other" };

export interface ReflectionRequest {
  readonly host: string;
  readonly question: Question;
  /** As it came: the answer carries it along. */
  readonly bytes: Uint8Array;
}

export type Answer =
  | { readonly kind: "files"; readonly descriptors: readonly Uint8Array[] }
  | { readonly kind: "services"; readonly names: readonly string[] }
  | { readonly kind: "error"; readonly code: number; readonly message: string };

/** Numbers of the fields of a question. */
const FILE_BY_NAME = 3;
const FILE_OF_SYMBOL = 4;
const LIST_SERVICES = 7;

export function decodeRequest(bytes: Uint8Array): ReflectionRequest {
  const reader = new BinaryReader(bytes);
  let host = "";
  let question: Question = { kind: "other" };
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) host = reader.string();
    else if (field === FILE_BY_NAME) question = { kind: "file", name: reader.string() };
    else if (field === FILE_OF_SYMBOL) question = { kind: "symbol", name: reader.string() };
    else {
      if (field === LIST_SERVICES) question = { kind: "services" };
      reader.skip(type);
    }
  }
  return { host, question, bytes };
}

export function encodeResponse({ host, bytes }: ReflectionRequest, answer: Answer): Uint8Array {
  const writer = new BinaryWriter();
  const message = (field: number) => writer.uint32(field * 8 + 2);
  message(1).string(host);
  message(2).bytes(bytes);
  if (answer.kind === "files") {
    message(4).fork();
    for (const descriptor of answer.descriptors) message(1).bytes(descriptor);
  } else if (answer.kind === "services") {
    message(6).fork();
    for (const name of answer.names) message(1).fork().uint32(10).string(name).join();
  } else {
    message(7).fork();
    writer.uint32(8).int32(answer.code);
    message(2).string(answer.message);
  }
  return writer.join().finish();
}
