import type { Clock } from "@steppe/model";
import type { Changes } from "@steppe/state";

/**
 * What can be waited for. Each kind has its own map, so that publishing a change looks up ids as
 * they are and builds no key for things that nobody watches.
 */
export type WatchKind =
  | "job"
  | "job-summary"
  | "job-allocations"
  | "job-evaluations"
  | "job-deployments"
  | "job-scale"
  | "service"
  | "job-statuses"
  | "deployment"
  | "deployment-allocations"
  | "evaluation"
  | "evaluation-allocations"
  | "allocation"
  | "node"
  | "node-allocations"
  | "namespace"
  | "node-pool"
  | "variable"
  | "table";

export interface WatchKey {
  readonly kind: WatchKind;
  /** A job key, an id or a table's name; empty for all jobs' statuses. */
  readonly id: string;
}

type Wake = () => void;

/** So many that wait for one key are a crowd: to answer them takes longer than any one answer may be held up. */
export const CROWD_MIN = 8;
/** Of crowds, how many are woken in one turn of the event loop: some 30 ms of answering. */
const TURN_MAX = 1_000;

/**
 * Wakes those who wait for a key when an applied entry changed it, and nobody else. A crowd is woken from the next turn
 * of the event loop on, so many in each: whoever made the change has its answer before.
 */
export class Watches {
  readonly #afterTurn: Clock["afterTurn"];
  readonly #byKind: Map<WatchKind, Map<string, Set<Wake>>> = new Map();
  /** Of crowds, who is still to be woken. */
  readonly #due = new Set<Wake>();
  #waiting = 0;

  constructor({ afterTurn }: Pick<Clock, "afterTurn"> = {}) {
    this.#afterTurn = afterTurn;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Calls `wake`, which must not throw, at each change of the key, or of a crowd once for several, until the returned
   * function is called.
   */
  subscribe({ kind, id }: WatchKey, wake: Wake): () => void {
    let ids = this.#byKind.get(kind);
    if (ids === undefined) {
      ids = new Map();
      this.#byKind.set(kind, ids);
    }
    let waiters = ids.get(id);
    if (waiters === undefined) {
      waiters = new Set();
      ids.set(id, waiters);
    }
    waiters.add(wake);
    this.#waiting += 1;
    const [ofKind, ofId] = [ids, waiters];
    return () => {
      if (!ofId.delete(wake)) return;
      this.#due.delete(wake);
      this.#waiting -= 1;
      if (ofId.size === 0 && ofKind.get(id) === ofId) ofKind.delete(id);
    };
  }

  publish(changes: Changes): void {
    if (this.#waiting === 0) return;
    this.#wakeAll("job", changes.jobs);
    this.#wakeAll("job-summary", changes.summaries);
    this.#wakeAll("job-allocations", changes.jobAllocations);
    this.#wakeAll("job-evaluations", changes.jobEvaluations);
    this.#wakeAll("job-deployments", changes.jobDeployments);
    for (const jobs of [changes.jobs, changes.summaries, changes.jobScaling]) this.#wakeAll("job-scale", jobs);
    if (changes.tables.has("summaries") || changes.tables.has("deployments")) this.#wake("job-statuses", "");
    this.#wakeAll("service", changes.services);
    this.#wakeAll("deployment", changes.deployments.keys());
    this.#wakeAll("evaluation", changes.evaluations.keys());
    this.#wakeAll("node", changes.nodes);
    this.#wakeAll("node-allocations", changes.nodeAllocations);
    this.#wakeAll("evaluation", changes.removedEvaluations.keys());
    this.#wakeAll("variable", changes.variables);
    this.#wakeAll("namespace", changes.namespaces);
    this.#wakeAll("node-pool", changes.nodePools);
    this.#wakeAll("table", changes.tables);
    for (const list of [changes.allocations, changes.removedAllocations]) {
      for (const allocation of list) {
        this.#wake("allocation", allocation.ID);
        this.#wake("evaluation-allocations", allocation.EvalID);
        if (allocation.DeploymentID !== "") this.#wake("deployment-allocations", allocation.DeploymentID);
        // Also those that only the node's own report changed: a client of the node's list sees them.
        this.#wake("node-allocations", allocation.NodeID);
      }
    }
  }

  #wakeAll(kind: WatchKind, ids: Iterable<string>): void {
    if (this.#byKind.get(kind)?.size) for (const id of ids) this.#wake(kind, id);
  }

  #wake(kind: WatchKind, id: string): void {
    const waiters = this.#byKind.get(kind)?.get(id);
    if (waiters === undefined) return;
    if (waiters.size >= CROWD_MIN && this.#afterTurn !== undefined) this.#wakeLater(waiters, this.#afterTurn);
    // A waiter leaves when woken and may come back: those of this moment are woken once.
    else for (const wake of [...waiters]) wake();
  }

  #wakeLater(crowd: Iterable<Wake>, afterTurn: NonNullable<Clock["afterTurn"]>): void {
    const isBegun = this.#due.size > 0;
    for (const wake of crowd) this.#due.add(wake);
    if (!isBegun) afterTurn(() => this.#wakeDue(afterTurn));
  }

  #wakeDue(afterTurn: NonNullable<Clock["afterTurn"]>): void {
    let left = TURN_MAX;
    for (const wake of this.#due) {
      if (left-- === 0) break;
      this.#due.delete(wake);
      wake();
    }
    if (this.#due.size > 0) afterTurn(() => this.#wakeDue(afterTurn));
  }
}
