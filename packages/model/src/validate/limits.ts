/** What a server allows, and what this package cannot know. */
export interface ValidationLimits {
  /** Highest priority of a job, 100 unless configured. */
  readonly priorityMax: number;
  /** Highest sum of the counts of a job's groups; 0 = no limit. */
  readonly countMax: number;
  /** Why a cron expression is none, undefined when it is one. The time zone is a known one. */
  cronError(spec: string, timeZone: string): string | undefined;
  /** Whether the IANA time zone exists. */
  isTimeZone(name: string): boolean;
}

/** All but the cron check, which needs a cron library. */
export const DEFAULT_LIMITS: Omit<ValidationLimits, "cronError"> = {
  priorityMax: 100,
  countMax: 50_000,
  isTimeZone: (name) => {
    try {
      return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  },
};
