import { SteppeError } from "@steppe/model";

/** A text with its name, as errors show it. `filename` need not exist on disk. */
export interface Source {
  readonly filename: string;
  readonly text: string;
}

/** A point in a source; `offset` counts UTF-16 units from 0 and may be the text's length. */
export interface Place {
  readonly source: Source;
  readonly offset: number;
}

export interface LineAndColumn {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** The whole line, without its line break. */
  readonly text: string;
}

export function locate(place: Place): LineAndColumn {
  const { text } = place.source;
  const start = text.lastIndexOf("\n", place.offset - 1) + 1;
  const end = text.indexOf("\n", place.offset);
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < start; at = text.indexOf("\n", at + 1)) line++;
  const content = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, "");
  return { line, column: place.offset - start + 1, text: content };
}

/** `file.hcl:3:7` */
export function formatPlace(place: Place): string {
  const { line, column } = locate(place);
  return `${place.source.filename}:${line}:${column}`;
}

/** A SteppeError that already tells its place; whoever catches it on the way has nothing to add. */
export class PlacedError extends SteppeError {
  override readonly name = "SteppeError";
}

/** An `invalid` error that names the place and shows the line with a mark under the column. */
export function errorAt(place: Place, message: string, options?: ErrorOptions): PlacedError {
  const { column, text } = locate(place);
  // Minified JSON is one long line; the place alone has to do there.
  const excerpt = text.length > 200 ? "" : `\n    ${text}\n    ${text.slice(0, column - 1).replace(/[^\t]/g, " ")}^`;
  return new PlacedError("invalid", `${formatPlace(place)}: ${message}${excerpt}`, options);
}
