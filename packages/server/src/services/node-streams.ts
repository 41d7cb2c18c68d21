import type { AssignedAllocation, Job, NodeAllocations } from "@steppe/proto";
import type { AllocationView, Changes, StateView } from "@steppe/state";

/** Allocations a message: keeps one message well under the size limit of gRPC. */
const BATCH_MAX = 1000;

/** What one agent (of one node, or of many simulated ones) has still to hear. */
export class NodeStream {
  readonly #view: StateView;
  readonly #changed: Set<AllocationView> = new Set();
  /** By ID: whether they end without their shutdown delay. */
  readonly #removed: Map<string, boolean> = new Map();
  readonly #sentJobs: WeakSet<Job> = new WeakSet();
  #wake: () => void = () => undefined;

  constructor(view: StateView) {
    this.#view = view;
  }

  change(allocation: AllocationView): void {
    this.#changed.add(allocation);
    this.#wake();
  }

  remove(allocation: AllocationView): void {
    this.#changed.delete(allocation);
    this.#removed.set(allocation.ID, allocation.NoShutdownDelay);
    this.#wake();
  }

  /** Messages from now on: first everything the nodes have, then changes as they apply. Ends with the signal. */
  async *messages(nodeIds: readonly string[], signal: AbortSignal): AsyncGenerator<NodeAllocations> {
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop);
    try {
      yield this.#full(nodeIds);
      while (!signal.aborted) {
        if (this.#changed.size + this.#removed.size > 0) yield this.#next();
        else await this.#woken(signal);
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #woken(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Allocations that ended on the node are left out: the agent stops and forgets what is not listed. */
  #full(nodeIds: readonly string[]): NodeAllocations {
    const live = nodeIds.flatMap((id) => [...this.#view.nodes.allocationsOf(id)].filter((it) => !it.clientTerminal));
    this.#changed.clear();
    this.#removed.clear();
    return this.#message(live, new Map(), true);
  }

  #next(): NodeAllocations {
    const batch: AllocationView[] = [];
    for (const allocation of this.#changed) {
      if (batch.length === BATCH_MAX) break;
      batch.push(allocation);
      this.#changed.delete(allocation);
    }
    const removed = new Map(this.#removed);
    this.#removed.clear();
    return this.#message(batch, removed, false);
  }

  #message(
    allocations: readonly AllocationView[],
    removed: ReadonlyMap<string, boolean>,
    full: boolean,
  ): NodeAllocations {
    const jobs: Job[] = [];
    for (const { Job: job } of allocations) {
      if (this.#sentJobs.has(job)) continue;
      this.#sentJobs.add(job);
      jobs.push(job);
    }
    return {
      Index: this.#view.index,
      Full: full,
      Allocations: allocations.map(assigned),
      Jobs: jobs,
      RemovedIDs: [...removed.keys()],
      HurriedIDs: [...removed].filter(([, hurried]) => hurried).map(([id]) => id),
    };
  }
}

function assigned(allocation: AllocationView): AssignedAllocation {
  return {
    ID: allocation.ID,
    NodeID: allocation.NodeID,
    Namespace: allocation.Namespace,
    JobID: allocation.JobID,
    JobVersion: allocation.Job.Version,
    JobCreateIndex: allocation.Job.CreateIndex,
    TaskGroup: allocation.TaskGroup,
    Name: allocation.Name,
    DesiredStatus: allocation.DesiredStatus,
    ClientStatus: allocation.ClientStatus,
    AllocModifyIndex: allocation.AllocModifyIndex,
    EvalID: allocation.EvalID,
    PreviousAllocation: allocation.PreviousAllocation,
    NameIndex: allocation.NameIndex,
    DeploymentID: allocation.DeploymentID,
    DeploymentStatus: allocation.DeploymentStatus,
    Claims: allocation.Claims,
    NoShutdownDelay: allocation.NoShutdownDelay,
  };
}

/** Which stream serves which node; fed with every applied entry. */
export class NodeStreams {
  readonly #byNode: Map<string, NodeStream> = new Map();

  /** The newest stream of a node gets its changes: an agent that reconnects leaves the old one dead. */
  add(nodeIds: readonly string[], stream: NodeStream): void {
    for (const id of nodeIds) this.#byNode.set(id, stream);
  }

  remove(nodeIds: readonly string[], stream: NodeStream): void {
    for (const id of nodeIds) if (this.#byNode.get(id) === stream) this.#byNode.delete(id);
  }

  publish(changes: Changes): void {
    if (this.#byNode.size === 0) return;
    for (const allocation of changes.allocations) {
      // What the agent itself reported is no news to it.
      if (allocation.AllocModifyIndex === changes.index) this.#byNode.get(allocation.NodeID)?.change(allocation);
    }
    for (const allocation of changes.removedAllocations) this.#byNode.get(allocation.NodeID)?.remove(allocation);
  }
}
