// A client that knows nothing but reflection: plain grpc-js, and what the server itself tells of its contract.

import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { credentials, loadPackageDefinition, makeGenericClientConstructor } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { Job } from "@steppe/proto";
import { afterEach, describe, expect, test } from "vitest";
import { Cleanup, serve, services } from "../testkit.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** Asks one question by the bytes of the protocol; resolves with the answer's fields. */
async function reflect(
  port: number,
  version: string,
  write: (writer: BinaryWriter) => void,
): Promise<Map<number, Uint8Array>> {
  const method = {
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    responseDeserialize: (bytes: Buffer) => bytes,
  };
  const Client = makeGenericClientConstructor({ info: method }, "Reflection");
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  cleanup.add(() => client.close());
  const stream = client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  const answer = new Promise<Buffer>((resolve, reject) => stream.once("data", resolve).once("error", reject));
  const writer = new BinaryWriter();
  write(writer);
  stream.write(writer.finish());
  const fields = fieldsOf(await answer);
  stream.end();
  return new Map(fields);
}

/** Length-delimited fields: number and bytes, in order. */
function fieldsOf(bytes: Uint8Array): [number, Uint8Array][] {
  const reader = new BinaryReader(bytes);
  const found: [number, Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === 2) found.push([field, reader.bytes()]);
    else reader.skip(type);
  }
  return found;
}

const ask = (field: number, text: string) => (writer: BinaryWriter) => void writer.uint32(field * 8 + 2).string(text);
const valuesOf = (bytes: Uint8Array | undefined) => fieldsOf(bytes ?? new Uint8Array(0)).map(([, value]) => value);

async function start(): Promise<number> {
  const region = services({ "jobs.get": async () => ({ Job: { ...Job.create(), ID: "web" }, Meta: undefined }) });
  return (await serve(cleanup, { region })).port;
}

describe("server reflection", () => {
  test.each(["v1", "v1alpha"])("%s, lists what is served", async (version) => {
    const answer = await reflect(await start(), version, ask(7, ""));
    const names = valuesOf(answer.get(6)).map((it) => Buffer.from(valuesOf(it)[0] ?? []).toString());
    expect(names).toEqual(
      expect.arrayContaining(["steppe.v1.Jobs", "steppe.v1.Events", `grpc.reflection.${version}.ServerReflection`]),
    );
  });

  test("a client made of nothing but the answer, calls a service", async () => {
    const port = await start();
    const answer = await reflect(port, "v1", ask(4, "steppe.v1.Jobs.Get"));
    const writer = new BinaryWriter();
    for (const file of valuesOf(answer.get(4))) writer.uint32(10).bytes(file);
    const definition = loadFileDescriptorSetFromBuffer(Buffer.from(writer.finish()), { keepCase: true });
    // biome-ignore lint/suspicious/noExplicitAny: what is loaded at run time has no types
    const loaded = loadPackageDefinition(definition) as any;
    const jobs = new loaded.steppe.v1.Jobs(`127.0.0.1:${port}`, credentials.createInsecure());
    cleanup.add(() => jobs.close());
    const reply = await new Promise((resolve, reject) => {
      jobs.Get({ JobID: "web" }, (error: Error | null, message: unknown) => (error ? reject(error) : resolve(message)));
    });
    expect(reply).toMatchObject({ Job: { ID: "web" } });
  });

  test("a symbol or file that is not there, is answered as an error and not with a broken call", async () => {
    const port = await start();
    for (const [field, name] of [
      [4, "steppe.v1.Nothing"],
      [3, "nothing.proto"],
    ] as const) {
      expect((await reflect(port, "v1", ask(field, name))).has(7)).toBe(true);
    }
  });
});
