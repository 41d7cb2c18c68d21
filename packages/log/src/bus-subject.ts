/** Throws unless `subject` is one that both buses take: words with single dots between them, no wildcards. */
export function checkSubject(subject: string): void {
  if (!/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(subject))
    throw new Error(`not a subject of the bus: ${JSON.stringify(subject)}`);
}
