/**
 * A service of the contract as a plain object of functions: what a handler calls, whether the
 * work is done here or by a server of another region. `D` is a definition that
 * `npm run generate` makes (`JobsDefinition`, …). Failures are `SteppeError`. A stream of answers lasts
 * until the call's signal aborts, and is not bound to the call's time.
 */
export type Service<D extends ServiceDefinition> = {
  readonly [Method in keyof D["methods"]]: (
    request: MessageOf<D["methods"][Method]["requestType"]>,
    call: Call,
  ) => D["methods"][Method]["responseStream"] extends true
    ? AsyncIterable<MessageOf<D["methods"][Method]["responseType"]>>
    : Promise<MessageOf<D["methods"][Method]["responseType"]>>;
};

/** What accompanies every call. */
export interface Call {
  /** Aborts when the client went away or the server is closing. */
  readonly signal: AbortSignal;
  /** Milliseconds that the caller will wait at most, beyond any time a blocking query asks for. */
  readonly timeoutMs: number;
}

export interface ServiceDefinition {
  readonly name: string;
  readonly fullName: string;
  readonly methods: Readonly<
    Record<
      string,
      {
        readonly name: string;
        readonly requestType: MessageType;
        readonly requestStream: boolean;
        readonly responseType: MessageType;
        readonly responseStream: boolean;
      }
    >
  >;
}

interface MessageType {
  // biome-ignore lint/suspicious/noExplicitAny: the message is inferred from it below
  encode(message: any, writer?: any): { finish(): Uint8Array };
  // biome-ignore lint/suspicious/noExplicitAny: see above
  decode(input: any, length?: number): any;
}

type MessageOf<T extends MessageType> = ReturnType<T["decode"]>;
