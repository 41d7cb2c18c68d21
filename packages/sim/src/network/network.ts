/**
 * Who can reach whom, and how long it takes. Places are named: machines, the NATS cluster of a region ("eu-nats").
 *
 * What is sent over a cut way is lost or, half of the time, kept by the sender's machine and sent again when the way is
 * open, as TCP does: late messages are as much a fault as lost ones.
 */
import type { Kernel } from "../kernel/kernel.ts";
import type { SeededRandom } from "../kernel/random.ts";

export interface Weather {
  /** One way, in one region, milliseconds: from, to. */
  readonly delayMs: readonly [number, number];
  /** Between regions. */
  readonly farMs: readonly [number, number];
}

export const FAIR: Weather = { delayMs: [0.1, 1.5], farMs: [20, 60] };

/** Messages that are lost, doubled or held up, while it lasts. */
export interface Disturbance {
  readonly loss: number;
  /** Of messages that are held up, and for how long at most. */
  readonly late: number;
  readonly lateMs: number;
}

type Way = (from: string, to: string) => boolean;

export class Network {
  readonly #kernel: Kernel;
  readonly #random: SeededRandom;
  readonly #weather: Weather;
  readonly #regionOf: (place: string) => string;
  readonly #cuts: Set<Way> = new Set();
  readonly #disturbances: Set<Disturbance> = new Set();
  readonly #kept: { readonly from: string; readonly to: string; readonly send: () => void }[] = [];

  constructor(kernel: Kernel, random: SeededRandom, regionOf: (place: string) => string, weather: Weather = FAIR) {
    this.#kernel = kernel;
    this.#random = random;
    this.#regionOf = regionOf;
    this.#weather = weather;
  }

  /** Cuts all ways that `way` names until the returned function is called. */
  cut(way: Way): () => void {
    this.#cuts.add(way);
    return () => {
      this.#cuts.delete(way);
      this.#sendKept();
    };
  }

  disturb(disturbance: Disturbance): () => void {
    this.#disturbances.add(disturbance);
    return () => this.#disturbances.delete(disturbance);
  }

  isOpen(from: string, to: string): boolean {
    if (from === to) return true;
    for (const cut of this.#cuts) if (cut(from, to)) return false;
    return true;
  }

  /**
   * Calls `arrive` with the time of arrival, or never. `kept`: how often a message is kept while the way is cut, 1 where
   * bytes of a connection cannot be left out. `mayBeLost`: messages that nobody sends again.
   */
  send(from: string, to: string, kind: { kept: number; mayBeLost: boolean }, arrive: (atMs: number) => void): void {
    if (!this.isOpen(from, to)) {
      if (this.#random.chance(kind.kept)) {
        this.#kept.push({ from, to, send: () => this.send(from, to, kind, arrive) });
      }
      return;
    }
    let delayMs = this.#delay(from, to);
    for (const { loss, late, lateMs } of this.#disturbances) {
      if (kind.mayBeLost && this.#random.chance(loss)) return;
      if (this.#random.chance(late)) delayMs += this.#random.between(0, lateMs);
    }
    arrive(this.#kernel.nowMs + delayMs);
  }

  #delay(from: string, to: string): number {
    if (from === to) return 0.05;
    const near = this.#regionOf(from) === this.#regionOf(to);
    const [least, most] = near ? this.#weather.delayMs : this.#weather.farMs;
    return this.#random.between(least, most);
  }

  #sendKept(): void {
    for (const { send } of this.#kept.splice(0)) send();
  }
}
