// Whom the tables are run against: a dev agent of ours, or whoever STEPPE_CONFORMANCE_ADDR names.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { start } from "../kit/process.ts";

const STEPPE = join(dirname(fileURLToPath(import.meta.url)), "../../bin/steppe");
const START_TIMEOUT_MS = 40_000;
const TASKS_END_MS = 20_000;

export interface Subject {
  /** `http://host:port`. */
  readonly address: string;
  /** Someone else's: rows on which Steppe differs on purpose are left out. */
  readonly isPeer: boolean;
  /** Filled into rows: `$region`, `$node`, `$name`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Ends every job whose ID begins so, and what was started. */
  close(jobPrefix: string): Promise<void>;
}

export async function openSubject(): Promise<Subject> {
  const peer = process.env.STEPPE_CONFORMANCE_ADDR;
  if (peer !== undefined && peer !== "") {
    const address = peer.replace(/\/$/, "");
    return {
      address,
      isPeer: true,
      variables: await variablesOf(address),
      close: (prefix) => endJobs(address, prefix),
    };
  }
  const agent = start("conformance", STEPPE, ["agent", "-dev", "-log-json", "-http-port", "0", "-rpc-port", "0"]);
  const ready = await agent.line((line) => line.msg === "agent started", START_TIMEOUT_MS);
  const address = `http://${String(ready.http)}`;
  return {
    address,
    isPeer: false,
    variables: await variablesOf(address),
    async close(prefix) {
      await endJobs(address, prefix);
      await agent.stop();
    },
  };
}

/** A fresh agent has no node for a moment. */
function variablesOf(address: string): Promise<Record<string, string>> {
  return eventually("the agent has a ready node", START_TIMEOUT_MS, async () => {
    const { body: self } = await call("GET", `${address}/v1/agent/self`);
    const { body: nodes } = await call<Json[]>("GET", `${address}/v1/nodes`);
    const node = nodes.find((it) => it.Status === "ready");
    if (node === undefined) throw new Error("no node is ready");
    return { region: self.config.Region, name: self.member.Name, node: node.ID };
  });
}

/** An agent that is stopped leaves its tasks running, so they are ended first. */
async function endJobs(address: string, prefix: string): Promise<void> {
  const { body: jobs } = await call<Json[]>("GET", `${address}/v1/jobs?namespace=*&prefix=${prefix}`);
  for (const { ID, Namespace } of jobs) {
    await call("DELETE", `${address}/v1/job/${encodeURIComponent(ID)}?namespace=${Namespace ?? "default"}`);
  }
  const over = (list: Json[]) =>
    list.every((it) => !it.JobID.startsWith(prefix) || !["running", "pending"].includes(it.ClientStatus));
  await watchUntil<Json[]>(`${address}/v1/allocations?namespace=*`, over, TASKS_END_MS);
}
