import { isAbsolute } from "node:path";
import { describeBadAddress, type Endpoint, parseEndpoint } from "./addresses.ts";
import { type Settings, settingError } from "./settings.ts";

/** Checks of single values. Each returns the value, or throws with the place where it was given. */
export class Checks {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  refuse(path: string, message: string): never {
    throw settingError(this.#settings, path, message);
  }

  /** Both ends are allowed. */
  between(path: string, value: number, least: number, most: number): number {
    if (value >= least && value <= most) return value;
    const wanted = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `between ${least} and ${most}`;
    return this.refuse(path, `must be ${wanted}, not ${value}`);
  }

  atLeast(path: string, value: number, least: number): number {
    return this.between(path, value, least, Number.MAX_SAFE_INTEGER);
  }

  durationMs(path: string, valueMs: number, leastMs: number): number {
    return valueMs >= leastMs ? valueMs : this.refuse(path, `must be at least ${leastMs} ms, not ${valueMs} ms`);
  }

  oneOf<T extends string>(path: string, value: string, allowed: readonly T[]): T {
    return (
      allowed.find((each) => each === value) ??
      this.refuse(path, `must be one of ${allowed.join(", ")}, not "${value}"`)
    );
  }

  /** Names that end up in headers, file names and NATS subjects. */
  name(path: string, value: string): string {
    if (value !== "" && value.length <= 128 && !/[\s*/\\\p{Cc}]/u.test(value)) return value;
    return this.refuse(
      path,
      `must be 1 to 128 characters without white space, "*", "/" or "\\", not ${JSON.stringify(value)}`,
    );
  }

  absolute(path: string, value: string): string {
    return isAbsolute(value) ? value : this.refuse(path, `must be an absolute path, not "${value}"`);
  }

  endpoint(path: string, value: string, defaultPort: number): Endpoint {
    return parseEndpoint(value, defaultPort) ?? this.refuse(path, describeBadAddress(value));
  }

  /** A host to listen on: an address without a port. */
  host(path: string, value: string): string {
    const { host, port } = this.endpoint(path, value, -1);
    return port === -1 ? host : this.refuse(path, `must not have a port; ports go into the ports block`);
  }
}
