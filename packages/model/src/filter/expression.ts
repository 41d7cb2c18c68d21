/**
 * A filter expression as it was written, before anything is known of what it is applied to.
 * `raw` is the text of a value: what it means depends on the field that it is compared with.
 */
export type Expression =
  | { readonly kind: "and" | "or"; readonly operands: readonly Expression[] }
  | { readonly kind: "not"; readonly operand: Expression }
  | ({ readonly kind: "match"; readonly operator: Operator; readonly negated: boolean } & MatchOperands)
  | {
      readonly kind: "any" | "all";
      readonly selector: Selector;
      readonly binding: Binding;
      readonly inner: Expression;
    };

export interface MatchOperands {
  readonly selector: Selector;
  /** Empty for `empty`. */
  readonly raw: string;
}

/** `in` is also `contains`, with its sides swapped. */
export type Operator = "equal" | "in" | "matches" | "empty";

export interface Selector {
  readonly path: readonly string[];
  /** As written, for texts. */
  readonly text: string;
}

/** Names for what a collection is walked by: `one` is the key of a map and the value of a list. */
export interface Binding {
  readonly one?: string;
  readonly index?: string;
  readonly value?: string;
}
