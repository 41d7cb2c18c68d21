// Where an allocation keeps its files, and what of it outlives the agent.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@steppe/model";
import { type AllocDeploymentStatus, AssignedAllocation, Job } from "@steppe/proto";
import { readIfThere, writeAtomic } from "../durable-files.ts";
import type { TaskSnapshot } from "./task-runner.ts";

export interface AllocationSnapshot {
  readonly assigned: AssignedAllocation;
  readonly tasks: Readonly<Record<string, TaskSnapshot>>;
  readonly deployment?: AllocDeploymentStatus;
}

export interface StoredAllocation {
  readonly snapshot: AllocationSnapshot;
  readonly job: Job;
}

/** Of one allocation: `alloc/` is shared by its tasks, beside it one directory a task. */
export class AllocationDir {
  readonly root: string;

  constructor(allocDir: string, allocId: string) {
    this.root = join(allocDir, allocId);
  }

  get shared(): string {
    return join(this.root, "alloc");
  }

  get logs(): string {
    return join(this.shared, "logs");
  }

  get supervisor(): string {
    return join(this.root, ".supervisor");
  }

  task(name: string): string {
    return join(this.root, name);
  }

  build(task: string): void {
    for (const dir of ["logs", "data", "tmp"]) mkdirSync(join(this.shared, dir), { recursive: true });
    for (const dir of ["local", "tmp"]) mkdirSync(join(this.task(task), dir), { recursive: true });
    mkdirSync(join(this.task(task), "secrets"), { recursive: true, mode: 0o700 });
    mkdirSync(this.supervisor, { recursive: true, mode: 0o700 });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Two files an allocation: its job, written when that changes, and the rest, written at every step. */
export class AllocationStore {
  readonly #dir: string;

  constructor(stateDir: string) {
    this.#dir = join(stateDir, "allocations");
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
  }

  writeJob(allocId: string, job: Job): void {
    writeAtomic(join(this.#dir, `${allocId}.job`), Buffer.from(Job.encode(job).finish()).toString("base64"));
  }

  write(snapshot: AllocationSnapshot): void {
    writeAtomic(join(this.#dir, `${snapshot.assigned.ID}.json`), JSON.stringify(snapshot));
  }

  remove(allocId: string): void {
    for (const kind of ["json", "job"]) rmSync(join(this.#dir, `${allocId}.${kind}`), { force: true });
  }

  /** What an earlier life of the agent wrote. An allocation whose files cannot be read is left out, and told of. */
  readAll(logger: Logger): StoredAllocation[] {
    const result: StoredAllocation[] = [];
    for (const file of readdirSync(this.#dir)) {
      if (!file.endsWith(".json")) continue;
      const allocId = file.slice(0, -".json".length);
      try {
        const job = readIfThere(join(this.#dir, `${allocId}.job`));
        const text = readIfThere(join(this.#dir, file));
        if (job === undefined || text === undefined) throw new Error("its job is missing");
        const snapshot = JSON.parse(text) as AllocationSnapshot;
        const assigned = AssignedAllocation.create(snapshot.assigned);
        result.push({ snapshot: { ...snapshot, assigned }, job: Job.decode(Buffer.from(job, "base64")) });
      } catch (error) {
        logger.error(
          { err: error, alloc: allocId },
          "cannot read the state of an allocation; it is not taken up again",
        );
      }
    }
    return result;
  }
}
