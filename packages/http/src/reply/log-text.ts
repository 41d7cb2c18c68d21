import { formatTime } from "@steppe/model";
import type { LogLine } from "../needs.ts";

/** A line of an agent's log as its monitor shows it, with the newline. */
export function logText(line: LogLine, isJson: boolean): string {
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
