import type { Logger } from "@steppe/model";

export interface KeptLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: object;
  readonly message: string;
}

/** Prints nothing; keeps what was said for a test to look at. */
export function createQuietLogger(lines: KeptLine[] = []): Logger & { readonly lines: readonly KeptLine[] } {
  const keep = (level: KeptLine["level"]) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return {
    lines,
    debug: keep("debug"),
    info: keep("info"),
    warn: keep("warn"),
    error: keep("error"),
    child: () => createQuietLogger(lines),
  };
}
