// What users may ask of a node, by the name that servers pass on.
import { type Clock, quote, SteppeError } from "@steppe/model";
import type { NodeCall } from "@steppe/proto";
import type { AllocRunner } from "../runner/alloc-runner.ts";
import { argumentsOf, flagOf, numberOf, textOf, textsOf } from "./arguments.ts";
import { execInTask } from "./exec.ts";
import { describeFile, listFiles, readFile, type StreamOptions, streamFile } from "./files.ts";
import { hostStats } from "./host-stats.ts";
import { streamLogs } from "./logs.ts";
import type { Answerer, CallContext } from "./request-server.ts";

/** What the methods need of the agent. */
export interface NodeAccess {
  readonly allocDir: string;
  readonly clock: Clock;
  find(allocId: string): AllocRunner | undefined;
  /** Removes the files of allocations that have ended: of one, or of all. */
  collect(allocId?: string): void;
  /** What is asked of the agent's process rather than of the node. `args`: JSON. */
  agent?(method: string, args: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  metadata(): object;
  /** Null takes a key away. Resolves when the servers know. */
  setMetadata(changes: Readonly<Record<string, string | null>>): Promise<object>;
}

type Fields = Readonly<Record<string, unknown>>;
type Method = (access: NodeAccess, args: Fields, context: CallContext, allocId: string) => AsyncIterable<Uint8Array>;

const METHODS: Readonly<Record<string, Method>> = {
  "fs.ls": (access, args, _context, id) => once(() => listFiles(rootOf(access, id), textOf(args, "path"))),
  "fs.stat": (access, args, _context, id) => once(() => describeFile(rootOf(access, id), textOf(args, "path"))),
  "fs.read": (access, args, { signal }, id) =>
    readFile(rootOf(access, id), textOf(args, "path"), numberOf(args, "offset"), numberOf(args, "limit"), signal),
  "fs.stream": (access, args, { signal }, id) =>
    streamFile(rootOf(access, id), textOf(args, "path"), streamOptions(args), access.clock, signal),
  "fs.logs": (access, args, { signal }, id) => {
    const stream = textOf(args, "type") === "stderr" ? "stderr" : "stdout";
    const source = requestsOf(access, id).logSource(textOf(args, "task"), stream);
    return streamLogs(source, streamOptions(args), access.clock, signal);
  },
  "alloc.stats": (access, args, _context, id) => once(async () => requestsOf(access, id).stats(textOf(args, "task"))),
  "alloc.checks": (access, _args, _context, id) => once(async () => runnerOf(access, id).checks()),
  "alloc.restart": (access, args, _context, id) =>
    once(async () => requestsOf(access, id).restart(textOf(args, "task"), flagOf(args, "all"))),
  "alloc.signal": (access, args, _context, id) =>
    once(async () => requestsOf(access, id).signal(textOf(args, "signal"), textOf(args, "task"))),
  "alloc.gc": (access, _args, _context, id) => once(async () => access.collect(runnerOf(access, id).id)),
  "alloc.exec": (access, args, context, id) => {
    const { process } = requestsOf(access, id).exec(
      textOf(args, "task"),
      textsOf(args, "command"),
      flagOf(args, "tty"),
    );
    return execInTask(process, context);
  },
  "alloc.action": (access, args, context, id) => {
    const [task, action, job] = [textOf(args, "task"), textOf(args, "action"), textOf(args, "job")];
    return execInTask(requestsOf(access, id).runAction(task, action, job, flagOf(args, "tty")).process, context);
  },
  "alloc.pause": (access, _args, _context, id) =>
    once(async () => {
      runnerOf(access, id);
      throw new SteppeError("refused", "Enterprise only");
    }),
  "node.stats": (access) => once(async () => hostStats(access.allocDir, access.clock.wallNs())),
  "node.gc": (access) => once(async () => access.collect()),
  "node.metadata": (access) => once(async () => access.metadata()),
  "node.set-metadata": (access, args) => once(() => access.setMetadata(metaOf(args))),
};

/** The answerer over an agent. */
export function createAnswerer(access: NodeAccess): Answerer {
  return async function* ({ Method, AllocID, Arguments }: NodeCall, context: CallContext) {
    if (Method.startsWith("agent.") && access.agent !== undefined) {
      yield* access.agent(Method, Arguments, context.signal);
      return;
    }
    const method = METHODS[Method];
    if (method === undefined) throw new SteppeError("refused", `Unknown rpc method: ${quote(Method)}`);
    yield* method(access, argumentsOf(Arguments), context, AllocID);
  };
}

/** One JSON value; nothing where there is none. */
async function* once(make: () => Promise<unknown>): AsyncGenerator<Uint8Array, void> {
  const value = await make();
  if (value !== undefined) yield Buffer.from(JSON.stringify(value));
}

function runnerOf(access: NodeAccess, allocId: string): AllocRunner {
  const runner = access.find(allocId);
  if (runner === undefined) throw new SteppeError("not-found", `Unknown allocation ${quote(allocId)}`);
  return runner;
}

function requestsOf(access: NodeAccess, allocId: string): AllocRunner["requests"] {
  return runnerOf(access, allocId).requests;
}

function rootOf(access: NodeAccess, allocId: string): string {
  return runnerOf(access, allocId).root;
}

function streamOptions(args: Fields): StreamOptions {
  return {
    offset: numberOf(args, "offset"),
    fromEnd: textOf(args, "origin") === "end",
    follow: flagOf(args, "follow"),
    plain: flagOf(args, "plain"),
  };
}

function metaOf({ meta }: Fields): Record<string, string | null> {
  if (typeof meta !== "object" || meta === null) return {};
  return Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, value === null ? null : String(value)]));
}
