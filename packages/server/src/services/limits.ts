import type { CanonicalDefaults, ValidationLimits } from "@steppe/model";

/** What a region's configuration says about the jobs it takes. */
export interface JobLimits {
  readonly defaults: CanonicalDefaults;
  readonly validation: ValidationLimits;
  /** Bytes of a job's source, with its variables, that are kept. */
  readonly sourceBytesMax: number;
}
