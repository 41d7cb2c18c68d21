import type { AllocMetric } from "@steppe/proto";

/** Numbers the metrics that allocations share, from 1; 0 = none. */
export class MetricNumbers {
  readonly #numbers: Map<AllocMetric, number> = new Map();

  of(metrics: AllocMetric | undefined): { readonly number: number; readonly isNew: boolean } {
    if (metrics === undefined) return { number: 0, isNew: false };
    const known = this.#numbers.get(metrics);
    if (known !== undefined) return { number: known, isNew: false };
    const number = this.#numbers.size + 1;
    this.#numbers.set(metrics, number);
    return { number, isNew: true };
  }
}
