import type { LogIdentity } from "@steppe/log";
import type { NatsOptions } from "@steppe/log/nats";
import { type ApartOptions, workApart } from "./apart.ts";

export interface UploadOptions extends ApartOptions {
  readonly region: string;
  /** The log that the snapshot is of. */
  readonly log: LogIdentity;
  readonly nats: Omit<NatsOptions, "logger">;
  readonly replicas: number;
  readonly index: number;
}

/** Brings a snapshot of the folder to the region's log, in a process of its own. Rejects when NATS does not take it. */
export function upload(options: UploadOptions, signal: AbortSignal): Promise<void> {
  return workApart({ file: "upload-process", options, signal });
}
