import type { Node } from "@steppe/proto";

/** One rule that a node has to meet whatever else runs on it. */
export interface Check {
  /** How metrics name the nodes it filters. */
  readonly reason: string;
  /** All nodes of one computed class answer alike. */
  readonly byClass: boolean;
  accepts(node: Node): boolean;
}
