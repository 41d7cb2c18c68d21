// Answers that carry one job, as bytes and back. The bytes of a job are most of such an answer and the same from
// one read to the next, so both ends keep them: the one that answers until the job changes, the one that asked as
// long as there is room. Concatenated messages of protobuf are one message, so nothing on the wire is different.
import { crc32 } from "node:zlib";
import { type Job, JobGetResponse } from "@steppe/proto";

/** The state replaces a job's object when it changes. */
const encoded = new WeakMap<Job, Uint8Array>();

export function encodeJobAnswer(answer: JobGetResponse): Uint8Array {
  const { Job, Meta } = answer;
  if (Job === undefined) return JobGetResponse.encode(answer).finish();
  let job = encoded.get(Job);
  if (job === undefined) {
    job = JobGetResponse.encode({ Job, Meta: undefined }).finish();
    encoded.set(Job, job);
  }
  return Buffer.concat([job, JobGetResponse.encode({ Job: undefined, Meta }).finish()]);
}

/** Bytes of the jobs that are kept decoded. */
const KEPT_BYTES_MAX = 2 * 1024 * 1024;

/** What was decoded before, by what it was decoded from: the same bytes give the same object. */
export class KeptJobs {
  readonly #bytesMax: number;
  readonly #byChecksum = new Map<number, { readonly bytes: Uint8Array; readonly job: Job }>();
  #bytes = 0;

  constructor(bytesMax = KEPT_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  decode(answer: Uint8Array): JobGetResponse {
    const end = endOfFirstField(answer);
    if (end === undefined) return JobGetResponse.decode(answer);
    const bytes = answer.subarray(0, end);
    const rest = JobGetResponse.decode(answer.subarray(end));
    // Two of them are to be merged.
    if (rest.Job !== undefined) return JobGetResponse.decode(answer);
    const checksum = crc32(bytes);
    const kept = this.#byChecksum.get(checksum);
    if (kept !== undefined && Buffer.compare(kept.bytes, bytes) === 0) return { Job: kept.job, Meta: rest.Meta };
    const { Job } = JobGetResponse.decode(bytes);
    if (Job !== undefined) this.#keep(checksum, bytes, Job);
    return { Job, Meta: rest.Meta };
  }

  #keep(checksum: number, bytes: Uint8Array, job: Job): void {
    if (bytes.length > this.#bytesMax) return;
    this.#drop(checksum);
    // A copy: what came is a part of a larger buffer.
    this.#byChecksum.set(checksum, { bytes: Uint8Array.from(bytes), job });
    this.#bytes += bytes.length;
    for (const oldest of this.#byChecksum.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest);
    }
  }

  #drop(checksum: number): void {
    this.#bytes -= this.#byChecksum.get(checksum)?.bytes.length ?? 0;
    this.#byChecksum.delete(checksum);
  }
}

const JOB_TAG = (1 << 3) | 2;

/** Undefined when the message does not begin with a job, or is not whole. */
function endOfFirstField(message: Uint8Array): number | undefined {
  if (message[0] !== JOB_TAG) return undefined;
  let length = 0;
  for (let at = 1; at <= 4; at++) {
    const byte = message[at] ?? 0x80;
    length |= (byte & 0x7f) << (7 * (at - 1));
    if (byte < 0x80) return at + 1 + length <= message.length ? at + 1 + length : undefined;
  }
  return undefined;
}
