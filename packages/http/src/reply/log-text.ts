import { formatTime } from "@steppe/model";
import type { AgentControls, LogLevel, LogLine } from "../needs.ts";

/**
 * An agent's log from now on, as its monitor shows it. Begins with an empty piece, which tells that it is read along:
 * the next line may be long in coming.
 */
export async function* logPieces(
  controls: Pick<AgentControls, "monitor">,
  level: LogLevel,
  isJson: boolean,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const lines = controls.monitor(level, signal)[Symbol.asyncIterator]();
  // Asked for before anything is told, so that no line is missed once a reader knows that it has begun.
  const first = lines.next();
  try {
    yield new Uint8Array(0);
    for (let next = await first; next.done !== true; next = await lines.next()) {
      yield Buffer.from(logText(next.value, isJson));
    }
  } finally {
    // Not waited for: while it waits for a line it ends with that, or with the signal.
    void lines.return?.();
  }
}

/** A line of an agent's log as its monitor shows it, with the newline. */
function logText(line: LogLine, isJson: boolean): string {
  return isJson ? jsonLine(line) : textLine(line);
}

function jsonLine({ time, level, message, fields }: LogLine): string {
  const head = { "@level": level, "@message": message, "@timestamp": formatTime(time) };
  return `${JSON.stringify({ ...head, ...fields })}\n`;
}

function textLine({ time, level, message, fields }: LogLine): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`);
  const shown = `[${level.toUpperCase()}]`.padEnd(7);
  return `${formatTime(time)} ${shown} ${message}${pairs.length === 0 ? "" : `: ${pairs.join(" ")}`}\n`;
}

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === undefined || /[\s"=]/.test(text) ? JSON.stringify(text ?? null) : text;
}
