import type { VolumeRequest } from "@steppe/proto";
import { multiError } from "../multi-error.ts";

/** What each access mode of a CSI volume asks of a group with several allocations on one volume. */
const ACCESS: Readonly<
  Record<string, { readonly readOnly: boolean; readonly only?: string; readonly readersFree?: true }>
> = {
  "single-node-reader-only": { readOnly: true, only: "one reader" },
  "single-node-writer": { readOnly: false, only: "one reader or writer" },
  "multi-node-reader-only": { readOnly: true },
  "multi-node-single-writer": { readOnly: false, only: "one writer", readersFree: true },
  "multi-node-multi-writer": { readOnly: false },
};

/** Undefined when the volume may be asked for. */
export function validateVolume(
  volume: VolumeRequest,
  jobType: string,
  count: number,
  canaries: number,
): string | undefined {
  if (volume.Type !== "host" && volume.Type !== "csi") return `volume has unrecognized type ${volume.Type}`;
  const errors: string[] = [];
  if (volume.Source === "") errors.push("volume has an empty source");
  if (volume.PerAlloc) {
    if (jobType === "system" || jobType === "sysbatch") {
      errors.push("volume cannot be per_alloc for system or sysbatch jobs");
    }
    if (canaries > 0) errors.push("volume cannot be per_alloc when canaries are in use");
  }
  errors.push(...(volume.Type === "host" ? hostVolume(volume) : csiVolume(volume, count)));
  return errors.length === 0 ? undefined : multiError(errors);
}

function hostVolume(volume: VolumeRequest): string[] {
  return volume.MountOptions === undefined ? [] : ["host volumes cannot have mount options"];
}

function csiVolume(volume: VolumeRequest, count: number): string[] {
  const { AttachmentMode, AccessMode } = volume;
  const errors: string[] = [];
  if (AttachmentMode === "") errors.push("CSI volumes must have an attachment mode");
  if (AttachmentMode === "block-device" && volume.MountOptions !== undefined) {
    errors.push("block devices cannot have mount options");
  }
  if (AccessMode === "") errors.push("CSI volumes must have an access mode");
  const rule = Object.hasOwn(ACCESS, AccessMode) ? ACCESS[AccessMode] : undefined;
  if (rule?.readOnly === true && !volume.ReadOnly) errors.push(`${AccessMode} volumes must be read-only`);
  const shared = count > 1 && !volume.PerAlloc && !(rule?.readersFree === true && volume.ReadOnly);
  if (rule?.only !== undefined && shared) errors.push(`volume with ${AccessMode} access mode allows only ${rule.only}`);
  return errors;
}
