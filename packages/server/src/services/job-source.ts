import type { JobSubmission } from "@steppe/proto";
import { formatByteSize } from "../config/byte-size.ts";

/** A source that is larger than `bytesMax`, with its variables, is dropped, which the warnings say. */
export function keptSource(
  submission: JobSubmission | undefined,
  bytesMax: number,
  warnings: string[],
): JobSubmission | undefined {
  if (submission === undefined) return undefined;
  const { Source, Variables, VariableFlags } = submission;
  const texts = [Source, Variables, ...Object.entries(VariableFlags).flat()];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= bytesMax) return submission;
  const [is, most] = [formatByteSize(bytes), formatByteSize(bytesMax)];
  warnings.push(`job source size of ${is} exceeds maximum of ${most} and will be discarded`);
  return undefined;
}
