import { setFlagsFromString } from "node:v8";

/**
 * While code and state are loaded nearly all that is made stays, so a large young generation of V8's heap would
 * only have it copied there first; and it stays large at rest, for a server that does little collects little. Held
 * small until then, it is 40 MB less.
 */
export function holdHeap(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** As load calls for. */
export function letHeapGrow(): void {
  setFlagsFromString("--semi-space-growth-factor=2");
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

/**
 * A collection of the whole heap takes this thread half a millisecond for each megabyte that lives, whatever there is to
 * collect. Left to itself V8 makes one whenever a large heap has grown by a quarter. When it may double first, as Go's
 * collector lets it (GOGC=100), there are a third as many.
 */
const GROWTH_PERCENT = 100;
