import type { AllocDeploymentStatus } from "@steppe/proto";

/** How an allocation fares in its deployment, but for when that was said. Never changed in place. */
export type Health = Readonly<Omit<AllocDeploymentStatus, "Timestamp">>;

/** Makes healths that are alike one object where they come one after the other: most of a command's are. */
export class Healths {
  #last: Health | undefined = undefined;

  of({ Healthy, Canary, ModifyIndex }: Health): Health {
    const last = this.#last;
    if (last?.ModifyIndex === ModifyIndex && last.Healthy === Healthy && last.Canary === Canary) return last;
    const health: Health = { Healthy, Canary, ModifyIndex };
    this.#last = health;
    return health;
  }
}
