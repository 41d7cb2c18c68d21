// Asks one check's question once, over the network.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Question } from "./check-plan.ts";

export interface Answer {
  readonly ok: boolean;
  readonly output: string;
  /** Of HTTP; 0 where none came. */
  readonly statusCode: number;
}

/** Never rejects. `signal` aborting makes the answer one of failure. */
export type Probe = (question: Question, timeoutMs: number, signal: AbortSignal) => Promise<Answer>;

/** Bytes of a failing reply's body that are kept. */
const OUTPUT_MAX = 3 * 1024;

export const probeNetwork: Probe = async (question, timeoutMs, signal) => {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return question.kind === "tcp" ? await askTcp(question, patience) : await askHttp(question, patience);
  } catch (error) {
    const why = patience.aborted ? `no answer within ${timeoutMs} ms` : (error as Error).message;
    const output = question.kind === "tcp" ? `dial tcp ${question.host}:${question.port}: ${why}` : `nomad: ${why}`;
    return { ok: false, output, statusCode: 0 };
  }
};

function askTcp({ host, port }: Question, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const stop = () => socket.destroy(new Error("aborted"));
    signal.addEventListener("abort", stop, { once: true });
    socket.once("error", reject);
    socket.once("close", () => signal.removeEventListener("abort", stop));
    socket.once("connect", () => {
      resolve({ ok: true, output: "nomad: tcp ok", statusCode: 0 });
      socket.destroy();
    });
  });
}

async function askHttp(question: Question & { kind: "http" }, signal: AbortSignal): Promise<Answer> {
  const reply = await send(question, signal);
  const statusCode = reply.statusCode ?? 0;
  const body = await beginningOf(reply);
  const ok = statusCode < 400;
  return { ok, output: ok ? "nomad: http ok" : body, statusCode };
}

function send(question: Question & { kind: "http" }, signal: AbortSignal): Promise<IncomingMessage> {
  const { host, port, path, method, headers, body, tls, verify } = question;
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host, port, path, method, signal, agent: false as const },
      headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]])),
    };
    const request = tls ? httpsRequest({ ...options, rejectUnauthorized: verify }) : httpRequest(options);
    request.once("response", resolve).once("error", reject);
    request.end(body);
  });
}

async function beginningOf(reply: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of reply as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= OUTPUT_MAX) break;
  }
  return Buffer.concat(pieces).subarray(0, OUTPUT_MAX).toString("utf8");
}
