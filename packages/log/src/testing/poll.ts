/**
 * Waits until `condition` holds, for tests with real processes. It says "not yet" by a text,
 * which the error quotes when the time is up.
 */
export async function poll(
  what: string,
  timeoutMs: number,
  condition: () => string | true | Promise<string | true>,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const status = await condition();
    if (status === true) return;
    if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms; last: ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
