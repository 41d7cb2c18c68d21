/** A thin client of the HTTP API for tests and the demo. */
export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  /** The body as it came. */
  readonly text: string;
  readonly index: number;
  readonly headers: Headers;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies are the API's JSON; tests look at what they need
export type Json = any;

export async function call<T = Json>(
  method: string,
  url: string,
  body?: unknown,
  options: { headers?: Record<string, string>; timeoutMs?: number } = {},
): Promise<Answer<T>> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    headers: options.headers ?? {},
    signal: AbortSignal.timeout(options.timeoutMs ?? 30_000),
  });
  const text = await response.text();
  const json = response.headers.get("content-type")?.startsWith("application/json") === true && text !== "";
  return {
    status: response.status,
    body: (json ? JSON.parse(text) : text) as T,
    text,
    index: Number(response.headers.get("x-nomad-index") ?? 0),
    headers: response.headers,
  };
}

/** Asks again by blocking query until `done` holds for the body. Rejects, with the last body, when time is up. */
export async function watchUntil<T = Json>(
  url: string,
  done: (body: T) => boolean,
  timeoutMs: number,
): Promise<Answer<T>> {
  const end = performance.now() + timeoutMs;
  let index = 0;
  let last: Answer<T> | undefined;
  while (performance.now() < end) {
    const left = Math.ceil(Math.min(end - performance.now(), 5000));
    const separator = url.includes("?") ? "&" : "?";
    last = await call<T>("GET", `${url}${separator}index=${index}&wait=${left}ms`, undefined, {
      timeoutMs: left + 10_000,
    });
    if (last.status === 200 && done(last.body)) return last;
    index = last.index;
  }
  throw new Error(
    `not so within ${timeoutMs} ms; last answer of ${url}: ${last?.status} ${JSON.stringify(last?.body)}`,
  );
}

/** Tries until `attempt` resolves; rejects with its last error when time is up. For real processes only. */
export async function eventually<T>(what: string, timeoutMs: number, attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
