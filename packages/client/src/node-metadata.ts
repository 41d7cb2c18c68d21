import { join } from "node:path";
import { readIfThere, writeAtomic } from "./durable-files.ts";

type Changes = Readonly<Record<string, string | null>>;

/** The node's metadata: what the configuration gives, and over it what users set while the agent ran, kept on disk. */
export class NodeMetadata {
  readonly #file: string;
  readonly #static: Readonly<Record<string, string>>;
  #dynamic: Changes;

  constructor(stateDir: string, given: Readonly<Record<string, string>>) {
    this.#file = join(stateDir, "dynamic-meta.json");
    this.#static = given;
    this.#dynamic = JSON.parse(readIfThere(this.#file) ?? "{}") as Changes;
  }

  /** Null takes a key away. */
  change(changes: Changes): void {
    this.#dynamic = { ...this.#dynamic, ...changes };
    writeAtomic(this.#file, JSON.stringify(this.#dynamic), { sync: true });
  }

  effective(): Record<string, string> {
    const all = Object.entries({ ...this.#static, ...this.#dynamic });
    return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
  }

  shown(): object {
    return { Meta: this.effective(), Dynamic: this.#dynamic, Static: this.#static };
  }
}
