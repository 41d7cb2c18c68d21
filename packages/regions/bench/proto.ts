import { fork } from "node:child_process";
import * as grpc from "@grpc/grpc-js";
import { createServer, createClient, createChannel } from "nice-grpc";
import { JobGetRequest, JobGetResponse, JobsDefinition, Job } from "@steppe/proto";

const job = Job.create({ ID: "web/frontend", Name: "web", Region: "eu", Namespace: "default", Type: "service", Priority: 50, Datacenters: ["dc1", "dc2"],
  TaskGroups: [1,2].map((n) => ({ Name: "g"+n, Count: 3, Tasks: [1,2].map((t)=>({ Name: "t"+t, Driver: "raw_exec", Env: {A:"b",C:"d"}, Meta: {x:"y"} })) })) } as never);
const definition = {
  get: { path: "/steppe.v1.Jobs/Get", requestStream: false as const, responseStream: false as const, options: {},
    requestSerialize: (m: JobGetRequest) => JobGetRequest.encode(m).finish(), requestDeserialize: (b: Uint8Array) => JobGetRequest.decode(b),
    responseSerialize: (m: JobGetResponse) => JobGetResponse.encode(m).finish(), responseDeserialize: (b: Uint8Array) => JobGetResponse.decode(b) } };
const buf = (u: Uint8Array) => Buffer.from(u.buffer, u.byteOffset, u.byteLength);
const rawDef = { get: { ...definition.get, requestSerialize: (m: JobGetRequest) => buf(JobGetRequest.encode(m).finish()), responseSerialize: (m: JobGetResponse) => buf(JobGetResponse.encode(m).finish()) } };
const answer = { Job: job, Meta: { Index: 12, LastContact: 0, KnownLeader: true, NextToken: "" } } as JobGetResponse;
if (process.argv[2] === "server") {
  const s = createServer(); s.add(definition, { get: async () => answer } as never);
  const port1 = await s.listen("127.0.0.1:0");
  const r = new grpc.Server(); r.addService(rawDef as never, { get: (_c: unknown, cb: (e: null, r: JobGetResponse) => void) => { cb(null, answer); } } as never);
  r.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_e, port2) => process.send?.({ port1, port2 }));
} else {
  const child = fork(import.meta.filename, ["server"]);
  const { port1, port2 } = await new Promise<{port1:number,port2:number}>((r) => child.once("message", r as never));
  console.log("message bytes", JobGetResponse.encode(answer).finish().length);
  const request = JobGetRequest.create({ JobID: "web", Query: { Region: "eu" } } as never);
  for (const [name, port] of [["nice server", port1], ["raw server", port2]] as const) {
    const nice = createClient(definition as never, createChannel(`127.0.0.1:${port}`)) as unknown as { get(r: JobGetRequest): Promise<JobGetResponse> };
    const raw = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const md = new grpc.Metadata();
    const rawCall = () => new Promise<JobGetResponse>((resolve, reject) => { raw.makeUnaryRequest(definition.get.path, rawDef.get.requestSerialize, definition.get.responseDeserialize, request, md, { deadline: Date.now() + 5000 }, (e, r) => e ? reject(e) : resolve(r as JobGetResponse)); });
    for (const [cname, call] of [["nice client", () => nice.get(request)], ["raw client", rawCall]] as const)
      for (const conc of [1, 32]) {
        const run = async (ms: number) => { const lat: number[] = []; const end = performance.now() + ms;
          await Promise.all(Array.from({ length: conc }, async () => { while (performance.now() < end) { const t = performance.now(); await call(); lat.push(performance.now() - t); } }));
          return lat.sort((a, b) => a - b); };
        await run(1000); const lat = await run(2000);
        console.log(name, cname, "c", conc, "rps", lat.length / 2, "p50", lat[lat.length >> 1]?.toFixed(3), "p99", lat[Math.floor(lat.length * .99)]?.toFixed(3));
      }
    raw.close();
  }
  child.kill(); process.exit(0);
}
