import type { Session } from "node:inspector/promises";
import { type Clock, SteppeError } from "@steppe/model";

let busy = false;

/** Takes one profile at a time of this process, in the form that Chrome's tools open. */
export async function takeProfile(
  kind: "cpu" | "heap",
  seconds: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  if (busy) throw new SteppeError("refused", "another profile is being taken");
  busy = true;
  // Few processes are ever profiled.
  const inspector = await import("node:inspector/promises");
  const session = new inspector.Session();
  session.connect();
  try {
    return JSON.stringify(await (kind === "cpu" ? cpu : heap)(session, () => clock.after(seconds * 1000, signal)));
  } finally {
    session.disconnect();
    busy = false;
  }
}

async function cpu(session: Session, wait: () => Promise<void>): Promise<object> {
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  await wait();
  return (await session.post("Profiler.stop")).profile;
}

/** Sampled by allocation: a whole snapshot would stop the process for as long as it takes to write. */
async function heap(session: Session, wait: () => Promise<void>): Promise<object> {
  await session.post("HeapProfiler.enable");
  await session.post("HeapProfiler.startSampling");
  await wait();
  return (await session.post("HeapProfiler.stopSampling")).profile;
}
