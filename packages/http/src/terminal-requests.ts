// What a websocket may ask for: a command of the user's own in a task, or one that the job gives a name.
import { type Call, quote, SteppeError } from "@steppe/model";
import { JobAllocationsRequest, type QueryOptions } from "@steppe/proto";
import type { RegionServices } from "./needs.ts";
import { type Params, parseBool } from "./request/params.ts";

/** As the node agent takes it. */
export interface NodeRequest {
  readonly AllocID: string;
  readonly Method: "alloc.exec" | "alloc.action";
  readonly Arguments: object;
}

/** Throws `SteppeError` for parameters that cannot be. */
export type TerminalRequest = (
  params: Params,
  query: QueryOptions,
  services: Pick<RegionServices, "jobs">,
  call: Call,
) => NodeRequest | Promise<NodeRequest>;

const EXEC = /^\/v1\/client\/allocation\/([^/]+)\/exec$/;
const ACTION = /^\/v1\/job\/(.+)\/action$/;

/** What is asked for at a path; undefined where no websocket is served. */
export function terminalRequest(path: string): TerminalRequest | undefined {
  const alloc = EXEC.exec(path)?.[1];
  if (alloc !== undefined) return (params) => exec(alloc, params);
  const job = decoded(ACTION.exec(path)?.[1]);
  return job === undefined ? undefined : (params, query, services, call) => action(job, params, query, services, call);
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function exec(AllocID: string, params: Params): NodeRequest {
  const Arguments = { task: params.task ?? "", command: commandOf(params), tty: ttyOf(params) };
  return { AllocID, Method: "alloc.exec", Arguments };
}

async function action(
  job: string,
  params: Params,
  Query: QueryOptions,
  { jobs }: Pick<RegionServices, "jobs">,
  call: Call,
): Promise<NodeRequest> {
  const { action: name = "", task = "", group = "" } = params;
  if (name === "") throw new SteppeError("invalid", "action name is required");
  if (task === "") throw new SteppeError("invalid", "task name is required");
  const Arguments = { job, task, action: name, tty: ttyOf(params) };
  if (params.allocID !== undefined && params.allocID !== "") {
    return { AllocID: params.allocID, Method: "alloc.action", Arguments };
  }
  // Any will do where nobody says which.
  const request = { ...JobAllocationsRequest.create(), Query, JobID: job };
  const { Allocations } = await jobs.allocations(request, call);
  const running = Allocations.find(
    (it) => (group === "" || it.TaskGroup === group) && it.TaskStates[task]?.State === "running",
  );
  if (running === undefined) {
    throw new SteppeError("not-found", `no running allocation of job ${quote(job)} has task ${quote(task)}`);
  }
  return { AllocID: running.ID, Method: "alloc.action", Arguments };
}

function commandOf(params: Params): string[] {
  const command = readJson(params.command ?? "");
  if (Array.isArray(command) && command.every((word) => typeof word === "string")) return command;
  throw new SteppeError("invalid", "failed to marshal command into json: command must be a list of strings");
}

export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function ttyOf(params: Params): boolean {
  const text = params.tty ?? "";
  const tty = text === "" ? false : parseBool(text);
  if (tty === undefined) throw new SteppeError("invalid", `tty value is not a boolean: ${JSON.stringify(text)}`);
  return tty;
}
