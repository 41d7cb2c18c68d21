import type { Expression, TemplatePart } from "./ast.ts";
import { errorAt, type Place } from "./source.ts";

export type Directive =
  | { readonly word: "if"; readonly condition: Expression }
  | { readonly word: "else" | "endif" | "endfor" }
  | {
      readonly word: "for";
      readonly keyName: string | undefined;
      readonly valueName: string;
      readonly collection: Expression;
    };

interface Trim {
  /** `~` after the opening brace or before the closing one: the white space on that side goes. */
  readonly before: boolean;
  readonly after: boolean;
}

/** A template in the order it is written, its directives not yet paired. */
export type Segment =
  | { readonly kind: "text"; readonly text: string }
  | ({ readonly kind: "interpolation"; readonly value: Expression } & Trim)
  | ({ readonly kind: "directive"; readonly directive: Directive; readonly at: Place } & Trim);

/** Applies `~`, then pairs `if`/`else`/`endif` and `for`/`endfor`. */
export function buildTemplate(segments: readonly Segment[], at: Place): readonly TemplatePart[] {
  const builder = new Builder(trim(segments), at);
  return builder.parts([]).parts;
}

function trim(segments: readonly Segment[]): Segment[] {
  return segments.flatMap((segment, i): Segment[] => {
    if (segment.kind !== "text") return [segment];
    const previous = segments[i - 1];
    const next = segments[i + 1];
    let { text } = segment;
    if (previous !== undefined && previous.kind !== "text" && previous.after) text = text.trimStart();
    if (next !== undefined && next.kind !== "text" && next.before) text = text.trimEnd();
    return text === "" ? [] : [{ kind: "text", text }];
  });
}

type Closer = "else" | "endif" | "endfor";

class Builder {
  readonly #segments: readonly Segment[];
  readonly #at: Place;
  #next = 0;

  constructor(segments: readonly Segment[], at: Place) {
    this.#segments = segments;
    this.#at = at;
  }

  /** Parts up to one of the closers, which is consumed; with none given, up to the end. */
  parts(closers: readonly Closer[]): { parts: TemplatePart[]; closer: Closer | undefined } {
    const parts: TemplatePart[] = [];
    for (;;) {
      const segment = this.#segments[this.#next++];
      if (segment === undefined) {
        if (closers.length === 0) return { parts, closer: undefined };
        throw errorAt(this.#at, `template directive is not closed; "%{ ${closers.at(-1)} }" is missing`);
      }
      if (segment.kind === "text") parts.push(segment);
      else if (segment.kind === "interpolation") parts.push({ kind: "interpolation", value: segment.value });
      else if (segment.directive.word === "if") parts.push(this.#condition(segment.directive.condition));
      else if (segment.directive.word === "for")
        parts.push({ ...forHead(segment.directive), body: this.parts(["endfor"]).parts });
      else if (closers.includes(segment.directive.word)) return { parts, closer: segment.directive.word };
      else throw errorAt(segment.at, `"%{ ${segment.directive.word} }" without its beginning`);
    }
  }

  #condition(condition: Expression): TemplatePart {
    const yes = this.parts(["else", "endif"]);
    const no = yes.closer === "else" ? this.parts(["endif"]).parts : [];
    return { kind: "if", condition, yes: yes.parts, no };
  }
}

function forHead(directive: Directive & { word: "for" }) {
  const { keyName, valueName, collection } = directive;
  return { kind: "for", keyName, valueName, collection } as const;
}

/** `<<-`: the indent common to all lines that hold anything, taken off each line. */
export function stripIndent(segments: readonly Segment[]): Segment[] {
  const last = segments.length - 1;
  const indents = segments.flatMap((segment, i) => {
    if (segment.kind !== "text") return i === 0 ? [0] : [];
    return lineIndents(segment.text, i === 0, i === last);
  });
  const common = indents.reduce((least, indent) => Math.min(least, indent), Number.POSITIVE_INFINITY);
  return segments.map((segment, i) => {
    if (segment.kind !== "text") return segment;
    const lines = segment.text.split("\n");
    const stripped = lines.map((line, n) => (n === 0 && i > 0 ? line : line.slice(Math.min(common, indentOf(line)))));
    return { kind: "text", text: stripped.join("\n") };
  });
}

/** Blank lines have no indent to speak of, except one whose content is the interpolation behind this text. */
function lineIndents(text: string, startsLine: boolean, endsBody: boolean): number[] {
  const lines = text.split("\n");
  return lines
    .filter((line, n) => (n > 0 || startsLine) && (line.trim() !== "" || (n === lines.length - 1 && !endsBody)))
    .map(indentOf);
}

function indentOf(line: string): number {
  return line.length - line.replace(/^[ \t]+/, "").length;
}
