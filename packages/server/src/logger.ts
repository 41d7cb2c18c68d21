import pino, { type Logger } from "pino";
import type { LogLevel } from "./config/index.ts";

/** Pretty on a terminal, JSON lines otherwise. Errors are printed with their chain of causes. */
export function createLogger(level: LogLevel, json: boolean): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.errWithCause, error: pino.stdSerializers.errWithCause },
  };
  if (json || !process.stdout.isTTY) return pino(options);
  return pino(options, pino.transport({ target: "pino-pretty", options: { translateTime: "SYS:HH:MM:ss.l" } }));
}
