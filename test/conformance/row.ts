// What a conformance table is made of. README.md beside this file tells how to write rows.

/** `METHOD /path?query`; `$id` and what was saved is filled in, here and in bodies. */
export type RequestLine = `${"GET" | "HEAD" | "PUT" | "POST" | "DELETE" | "PATCH" | "OPTIONS"} /${string}`;

export interface Request {
  readonly line: RequestLine;
  /** Text is sent as it stands, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that brings the world to where the row begins. It must answer 2xx. */
export interface Step extends Request {
  /** Name to path in the reply's JSON (`EvalID`, `0.ID`); later requests of the row say `$name`. */
  readonly save?: Readonly<Record<string, string>>;
  /** Asked again by blocking query until the reply's JSON matches. */
  readonly until?: unknown;
}

export interface Expected {
  /** 200 where not given. */
  readonly status?: number;
  /** Lower-case names; `null` = must be absent. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** The whole body, as text: error texts. */
  readonly text?: string | RegExp;
  /**
   * Matched as by `toMatchObject`: objects may hold more than is named, lists hold exactly as many items; `an.index`
   * and its like stand for values that vary.
   */
  readonly body?: unknown;
  /** Fields that the body, or each item of a list, must have, whatever their value. */
  readonly fields?: readonly string[];
}

export interface Row {
  /** Situation and expectation; the table is the subject. */
  readonly name: string;
  readonly given?: readonly (RequestLine | Step)[];
  readonly request: RequestLine | Request;
  readonly expect: Expected;
  /** Steppe differs from the peer on purpose: which section of API.md says so. Such a row is not run against a peer. */
  readonly differs?: string;
}

export interface Table {
  /** Route group, such as `/v1/job/:id`. */
  readonly subject: string;
  readonly rows: readonly Row[];
}

export function requestOf(given: RequestLine | Step): Step {
  return typeof given === "string" ? { line: given } : given;
}
