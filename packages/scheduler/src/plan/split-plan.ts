import {
  AllocMetric,
  FollowUps,
  GivenDevices,
  InPlaceUpdates,
  Placements,
  Plan,
  RescheduleTracker,
  Stops,
} from "@steppe/proto";

/** Upper bounds in bytes: of a tag with a length, and of the columns of a row (id, name, node, score, canary). */
const HEADER = 8;
const ROW = 16 + 5 + 5 + 8 + 5;

/**
 * Cuts a plan into parts of at most `maxBytes`, to be committed in order. Stops come first, so that
 * the placements of each part find the names and the room they need; only the last part ends the
 * evaluation. A part is larger only where one row, or the end of the evaluation, is. A plan that is
 * all or nothing is so within each part only.
 */
export function splitPlan(plan: Plan, maxBytes: number): Plan[] {
  if (Plan.encode(plan).finish().length <= maxBytes) return [plan];
  const parts = new Parts(plan, maxBytes);
  for (const stops of plan.Stops) splitStops(parts, stops);
  splitIds(parts, plan.Disconnects, 0, (ids) => {
    parts.part.Disconnects = ids;
  });
  for (const update of plan.InPlaceUpdates) splitInPlace(parts, update);
  for (const placements of plan.Placements) splitPlacements(parts, placements);
  splitIds(parts, plan.Reconnects, 0, (ids) => {
    parts.part.Reconnects = ids;
  });
  for (const followUps of plan.FollowUps) splitFollowUps(parts, followUps);
  return parts.finish();
}

/** Fills part after part. */
class Parts {
  readonly #plan: Plan;
  readonly #header: Plan;
  readonly #headerBytes: number;
  readonly #bytesMax: number;
  readonly #parts: Plan[] = [];
  #part: Plan;
  #bytes: number;

  constructor(plan: Plan, bytesMax: number) {
    this.#plan = plan;
    this.#header = {
      ...plan,
      ...emptied(),
      ...{ Evaluations: [], Result: undefined, Deployment: undefined, DeploymentUpdates: [] },
    };
    this.#bytesMax = bytesMax;
    this.#part = this.#open();
    // The parts behind the first find it in the state.
    if (plan.Deployment !== undefined) this.#part.Deployment = plan.Deployment;
    this.#headerBytes = sizeOf(this.#part);
    this.#bytes = this.#headerBytes;
  }

  get part(): Plan {
    return this.#part;
  }

  /** Makes room for so many bytes, and so many more where they begin a new part; true when they do. */
  take(bytes: number, moreInNew = 0): boolean {
    const begins = this.#bytes + bytes > this.#bytesMax && this.#bytes > this.#headerBytes;
    if (begins) {
      this.#part = this.#open();
      this.#bytes = this.#headerBytes + moreInNew;
    }
    this.#bytes += bytes;
    return begins;
  }

  finish(): Plan[] {
    const { Evaluations, Result, DeploymentUpdates } = this.#plan;
    const end = { Evaluations, Result, DeploymentUpdates };
    this.take(sizeOf({ ...this.#header, ...end }));
    Object.assign(this.#part, end);
    return this.#parts;
  }

  #open(): Plan {
    const part: Plan = { ...this.#header, ...emptied() };
    this.#parts.push(part);
    return part;
  }
}

/** What each part has a piece of. */
const emptied = () => ({
  ...{ Stops: [], Disconnects: [], InPlaceUpdates: [], Placements: [], Reconnects: [], FollowUps: [] },
});

const sizeOf = (plan: Plan): number => Plan.encode(plan).finish().length;

function splitStops(parts: Parts, stops: Stops): void {
  const header = Stops.encode({ ...stops, AllocIDs: [] }).finish().length;
  splitIds(parts, stops.AllocIDs, header, (AllocIDs) => parts.part.Stops.push({ ...stops, AllocIDs }));
}

function splitInPlace(parts: Parts, update: InPlaceUpdates): void {
  const header = InPlaceUpdates.encode({ ...update, AllocIDs: [] }).finish().length;
  splitIds(parts, update.AllocIDs, header, (AllocIDs) => parts.part.InPlaceUpdates.push({ ...update, AllocIDs }));
}

function splitFollowUps(parts: Parts, followUps: FollowUps): void {
  const header = FollowUps.encode({ ...followUps, AllocIDs: [] }).finish().length;
  splitIds(parts, followUps.AllocIDs, header, (AllocIDs) => parts.part.FollowUps.push({ ...followUps, AllocIDs }));
}

/** Puts a list under a header, and what does not fit under the same header in the next part. */
function splitIds(parts: Parts, ids: readonly string[], header: number, begin: (ids: string[]) => void): void {
  let list: string[] | undefined;
  for (const id of ids) {
    const heading = header + HEADER;
    const begins =
      list === undefined ? parts.take(id.length + HEADER + heading) : parts.take(id.length + HEADER, heading);
    if (begins || list === undefined) {
      list = [];
      begin(list);
    }
    list.push(id);
  }
}

function splitPlacements(parts: Parts, placements: Placements): void {
  const metrics = placements.Metrics === undefined ? 0 : AllocMetric.encode(placements.Metrics).finish().length;
  const header = metrics + placements.TaskGroup.length * 3 + 8 * HEADER;
  let cut: PlacementsPart | undefined;
  for (let row = 0; row < placements.NameIndexes.length; row++) {
    const bytes = bytesOf(placements, row);
    const heading = header + nodeBytes(placements, row);
    const begins =
      cut === undefined
        ? parts.take(bytes + heading)
        : parts.take(bytes + (cut.hasNodeOf(row) ? 0 : nodeBytes(placements, row)), heading);
    if (begins || cut === undefined) {
      cut?.close();
      cut = new PlacementsPart(placements);
      parts.part.Placements.push(cut.placements);
    }
    cut.add(row);
  }
  cut?.close();
}

/** The ports of a row are as many in each, and so are its cores. */
const portsARow = ({ DynamicPorts, NameIndexes }: Placements): number => DynamicPorts.length / NameIndexes.length;
const coresARow = ({ Cores, NameIndexes }: Placements): number => Cores.length / NameIndexes.length;

function bytesOf(placements: Placements, row: number): number {
  const { PreviousAllocations, RescheduleTrackers, Devices, Evictions } = placements;
  const devices = Devices[row] === undefined ? 0 : GivenDevices.encode(Devices[row]).finish().length + HEADER;
  const previous = PreviousAllocations[row];
  const tracker = RescheduleTrackers[row];
  const trackerBytes = tracker === undefined ? 0 : RescheduleTracker.encode(tracker).finish().length + 3 * HEADER;
  const evicted = Evictions[row]?.AllocIDs ?? [];
  const evictedBytes = evicted.reduce((sum, id) => sum + id.length + HEADER, evicted.length > 0 ? 3 * HEADER : 0);
  const previousBytes = previous === undefined ? 0 : previous.length + 3 * HEADER;
  return (
    ROW + previousBytes + trackerBytes + evictedBytes + devices + 3 * portsARow(placements) + 2 * coresARow(placements)
  );
}

function nodeBytes({ Nodes, NodeIDs }: Placements, row: number): number {
  return (NodeIDs[Nodes[row] as number] as string).length + HEADER;
}

/** Some of the rows of a group's placements, with a dictionary of their own. */
class PlacementsPart {
  readonly placements: Placements;
  readonly #whole: Placements;
  readonly #canaries: ReadonlySet<number>;
  readonly #rows: number[] = [];
  readonly #positions: Map<number, number> = new Map();

  constructor(whole: Placements) {
    this.#whole = whole;
    this.placements = Placements.create({ TaskGroup: whole.TaskGroup, JobVersion: whole.JobVersion });
    this.#canaries = new Set(whole.Canaries);
    this.placements.Metrics = whole.Metrics;
  }

  hasNodeOf(row: number): boolean {
    return this.#positions.has(this.#whole.Nodes[row] as number);
  }

  add(row: number): void {
    const { NameIndexes, Scores, PreviousAllocations, RescheduleTrackers, Devices, Evictions } = this.#whole;
    const { DynamicPorts, Cores } = this.#whole;
    const [ports, cores] = [portsARow(this.#whole), coresARow(this.#whole)];
    const at = this.#rows.push(row) - 1;
    this.placements.NameIndexes.push(NameIndexes[row] as number);
    this.placements.Scores.push(Scores[row] as number);
    this.placements.Nodes.push(this.#position(this.#whole.Nodes[row] as number));
    const previous = PreviousAllocations[row];
    const tracker = RescheduleTrackers[row];
    if (previous !== undefined) this.placements.PreviousAllocations[at] = previous;
    if (tracker !== undefined) this.placements.RescheduleTrackers[at] = tracker;
    if (this.#canaries.has(row)) this.placements.Canaries.push(at);
    this.placements.DynamicPorts.push(...DynamicPorts.slice(ports * row, ports * (row + 1)));
    this.placements.Cores.push(...Cores.slice(cores * row, cores * (row + 1)));
    if (Devices[row] !== undefined) this.placements.Devices.push(Devices[row]);
    const evicted = Evictions[row];
    if (evicted !== undefined) this.placements.Evictions[at] = evicted;
  }

  /** Rows are neighbours, so their ids are one piece. */
  close(): void {
    const first = this.#rows[0] as number;
    this.placements.AllocIDs = this.#whole.AllocIDs.subarray(16 * first, 16 * (first + this.#rows.length));
  }

  #position(node: number): number {
    let position = this.#positions.get(node);
    if (position === undefined) {
      position = this.placements.NodeIDs.push(this.#whole.NodeIDs[node] as string) - 1;
      this.#positions.set(node, position);
    }
    return position;
  }
}
