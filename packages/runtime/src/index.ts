export { createClock } from "./clock.ts";
export { createFiles } from "./files.ts";
export { createRandom } from "./random.ts";
