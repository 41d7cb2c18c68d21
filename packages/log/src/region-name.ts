import type { LogIdentity } from "./identity.ts";

/**
 * A region's name as one token of a NATS subject and as part of a stream's name, where `.`, `*`,
 * `>`, `/` and blanks are not allowed. Injective: letters, digits and `-` stand for themselves,
 * every other byte of the UTF-8 text is `_` and two hexadecimal digits.
 */
export function regionToken(region: string): string {
  if (region === "") throw new Error("the region's name is empty");
  let token = "";
  for (const byte of new TextEncoder().encode(region)) {
    const char = String.fromCharCode(byte);
    token += /[A-Za-z0-9-]/.test(char) ? char : `_${byte.toString(16).padStart(2, "0")}`;
  }
  return token;
}

export interface RegionNames {
  /** Stream of the first log. */
  readonly stream: string;
  /** Before the index in the name of a snapshot's bucket. */
  readonly snapshotPrefix: string;
  readonly logSubject: string;
  /** Before every subject of the region's bus; ends in a dot. */
  readonly busPrefix: string;
}

export function regionNames(region: string): RegionNames {
  const token = regionToken(region);
  return {
    stream: `STEPPE_${token}`,
    snapshotPrefix: `STEPPE_${token}-snapshot-`,
    logSubject: `steppe.${token}.log`,
    busPrefix: `steppe.${token}.bus.`,
  };
}

/** The names of one of the region's logs. Each has a subject of its own, so that who still writes to an older one is refused. */
export function logNames(
  names: RegionNames,
  { epoch, id }: LogIdentity,
): Pick<RegionNames, "stream" | "logSubject" | "snapshotPrefix"> {
  if (epoch === 0) return names;
  return {
    stream: `${names.stream}@${epoch}`,
    logSubject: `${names.logSubject}.${epoch}-${id}`,
    snapshotPrefix: `${names.snapshotPrefix}${epoch}-${id}-`,
  };
}
