import { once } from "node:events";
import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import type { ApartOptions, FromApart } from "./apart.ts";

/** So far behind those that serve. Whoever is not root cannot take it back. */
const NICE = 10;
const NICE_MAX = 19;

/** The other end of `workApart`: does the work and ends this process. What goes wrong is told to the server, which has a log to write to. */
export async function work<O extends ApartOptions>(body: (options: O) => Promise<void>): Promise<void> {
  // A terminal tells all processes of a group to end; when this one does is for the server to say.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
  // Its server is no more.
  process.on("disconnect", () => process.exit(1));
  const [options] = (await once(process, "message")) as [O];
  const answer = await outcomeOf(body, options);
  process.send?.(answer, () => process.exit(0));
}

async function outcomeOf<O extends ApartOptions>(body: (options: O) => Promise<void>, options: O): Promise<FromApart> {
  try {
    if (!options.urgent) stepBack();
    await body(options);
    return { kind: "done" };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

/** On Linux a priority belongs to a thread, and V8 has begun its own by now. */
function stepBack(): void {
  const priority = Math.min(getPriority() + NICE, NICE_MAX);
  if (process.platform === "linux")
    for (const thread of readdirSync("/proc/self/task")) setPriority(Number(thread), priority);
  else setPriority(priority);
}
