/**
 * Several reasons in one text, as the API shows them:
 *
 *     2 errors occurred:
 *     	* first
 *     	* second
 *
 * followed by an empty line. A reason may itself be such a text; it goes in as it is.
 */
export function multiError(texts: readonly string[]): string {
  const count = texts.length === 1 ? "1 error" : `${texts.length} errors`;
  return `${count} occurred:\n\t${texts.map((text) => `* ${text}`).join("\n\t")}\n\n`;
}

/** The reasons as one reason of an outer list; none when there are none. `prefix` goes before the text. */
export function nested(prefix: string, texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [`${prefix}${multiError(texts)}`];
}
