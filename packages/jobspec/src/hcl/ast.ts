import type { Place } from "./source.ts";

/** What stands between braces, or a whole file. Blocks keep their order; attribute names are unique. */
export interface Body {
  readonly at: Place;
  /**
   * Written as JSON, which does not tell options from blocks: all members are attributes, and the reader who
   * knows what may stand here says which of them are blocks.
   */
  readonly json?: boolean;
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly blocks: readonly Block[];
}

export interface Attribute {
  readonly name: string;
  readonly value: Expression;
  /** Where the name stands. */
  readonly at: Place;
}

/** `type "label" "label" { body }` */
export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  readonly body: Body;
  readonly at: Place;
}

export type Expression = ExpressionForm & { readonly at: Place };

export type BinaryOperator = "||" | "&&" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%";

type ExpressionForm =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "template"; readonly parts: readonly TemplatePart[] }
  | { readonly kind: "tuple"; readonly items: readonly Expression[] }
  | { readonly kind: "object"; readonly entries: readonly ObjectEntry[] }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "traversal"; readonly target: Expression; readonly steps: readonly Step[] }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[]; readonly expandLast: boolean }
  | { readonly kind: "unary"; readonly operator: "!" | "-"; readonly operand: Expression }
  // A run of operators of one precedence, applied from left to right. Kept flat so that a sum of ten
  // thousand terms does not recurse ten thousand deep.
  | { readonly kind: "binary"; readonly first: Expression; readonly rest: readonly Operation[] }
  | { readonly kind: "conditional"; readonly condition: Expression; readonly yes: Expression; readonly no: Expression }
  | ForExpression
  // Kept, because `(a)` as an object's key is a variable where `a` is the word itself.
  | { readonly kind: "parentheses"; readonly inner: Expression };

export interface ObjectEntry {
  readonly key: Expression;
  readonly value: Expression;
}

export interface Operation {
  readonly operator: BinaryOperator;
  readonly operand: Expression;
}

/** `[for k, v in xs : value if condition]`, or with `key` the object form `{for … : key => value...}`. */
export interface ForExpression {
  readonly kind: "for";
  readonly keyName: string | undefined;
  readonly valueName: string;
  readonly collection: Expression;
  readonly key: Expression | undefined;
  readonly value: Expression;
  readonly condition: Expression | undefined;
  /** `...` after the value: values of equal keys are gathered into lists. */
  readonly grouped: boolean;
}

export type Step =
  | { readonly kind: "attribute"; readonly name: string; readonly at: Place }
  | { readonly kind: "index"; readonly key: Expression; readonly at: Place }
  /** `[*]` or `.*`: the steps after it that apply to each element. */
  | { readonly kind: "splat"; readonly steps: readonly Step[]; readonly at: Place };

export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "interpolation"; readonly value: Expression }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly yes: readonly TemplatePart[];
      readonly no: readonly TemplatePart[];
    }
  | {
      readonly kind: "for";
      readonly keyName: string | undefined;
      readonly valueName: string;
      readonly collection: Expression;
      readonly body: readonly TemplatePart[];
    };
