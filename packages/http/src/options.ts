/** Of one process; the material may be replaced while it runs. */
export interface HttpTls {
  readonly identity: {
    readonly material: TlsMaterial;
    readonly minVersion: "TLSv1.2" | "TLSv1.3";
    onReplace(listener: (material: TlsMaterial) => void): void;
  };
  /** Clients must show a certificate that `ca` has signed. */
  readonly verifyClient: boolean;
}

/** PEM. */
interface TlsMaterial {
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface HttpOptions {
  /** Largest request body in bytes. Default 5 MiB: a job of thousands of groups is below 1 MiB. */
  readonly bodyLimit?: number;
  /** How long a handler waits for a service, beyond the time a blocking query asks for. Default 10,000. */
  readonly timeoutMs?: number;
  /** How long `close` lets requests finish before it cuts their connections. Default 5,000. */
  readonly closeGraceMs?: number;
  /** Connections from one address; 0, the default: any number. */
  readonly connsPerClientMax?: number;
  /** Sent with every reply. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
  /** Undefined: pages of other origins may call nothing. */
  readonly cors?: CorsOptions | undefined;
  /** Default: clear text. */
  readonly tls?: HttpTls;
  /** Tells what is to hold for requests from then on. */
  readonly onChange?: (listener: (changed: ChangeableOptions) => void) => void;
}

/** What may change while the app serves. */
export type ChangeableOptions = Pick<HttpOptions, "connsPerClientMax" | "responseHeaders" | "cors">;

export interface CorsOptions {
  /** `scheme://host:port`, or "*" for all. */
  readonly allowedOrigins: readonly string[];
  /** Beside those of the API itself. */
  readonly allowedHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeMs: number;
}

/** With the defaults filled in. */
export type CompleteOptions = Required<Omit<HttpOptions, "tls" | "onChange">>;

export function completeOptions(options: HttpOptions): CompleteOptions {
  const limits = {
    bodyLimit: options.bodyLimit ?? 5 * 1024 * 1024,
    timeoutMs: options.timeoutMs ?? 10_000,
    closeGraceMs: options.closeGraceMs ?? 5000,
  };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value <= 0) throw new Error(`${name} must be a positive integer, got ${value}`);
  }
  const { connsPerClientMax = 0, responseHeaders = {}, cors } = options;
  return { ...limits, connsPerClientMax, responseHeaders, cors };
}
