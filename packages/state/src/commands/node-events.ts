import { type Node, NodeEvent } from "@steppe/proto";
import type { Step } from "../step.ts";

/** Events kept a node, oldest dropped first (the peer keeps as many). */
const EVENTS_MAX = 10;

export function withEvent(node: Node, step: Step, message: string, subsystem = "Cluster"): Node {
  if (message === "") return node;
  const event: NodeEvent = {
    ...NodeEvent.create(),
    Message: message,
    Subsystem: subsystem,
    Timestamp: step.time,
    CreateIndex: step.index,
  };
  return { ...node, Events: [...node.Events, event].slice(-EVENTS_MAX) };
}
