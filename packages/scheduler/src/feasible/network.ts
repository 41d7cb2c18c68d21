import { claimAskOf, type PortAsk, resolveTarget } from "@steppe/model";
import type { Node, TaskGroup } from "@steppe/proto";
import type { Check } from "./check.ts";

/** The node has the kind of network that the group asks for, and every host network that it wants a port on. */
export function networkChecks(group: TaskGroup): Check[] {
  const [network] = group.Networks;
  const mode = network?.Mode || "host";
  if (network === undefined || mode === "none") return [];
  const ports = claimAskOf(group).ports.filter(({ task }) => task === "");
  return [modeCheck(mode), ...ports.flatMap(hostNetworkChecks)];
}

/** Not by class: the computed class does not know of networks. */
function modeCheck(mode: string): Check {
  return {
    reason: "missing network",
    byClass: false,
    accepts: ({ NodeResources }) => NodeResources?.Networks.some((it) => (it.Mode || "host") === mode) ?? false,
  };
}

function hostNetworkChecks({ hostNetwork, label }: PortAsk): Check[] {
  const name = (node: Node) => resolveTarget(hostNetwork, node);
  const present: Check = {
    reason: `missing host network "${hostNetwork}" for port "${label}"`,
    byClass: false,
    accepts: (node) => hasHostNetwork(node, name(node)),
  };
  if (!hostNetwork.startsWith("${")) return [present];
  const resolves: Check = {
    reason: `invalid host network "${hostNetwork}" template for port "${label}"`,
    byClass: false,
    accepts: (node) => name(node) !== undefined,
  };
  return [resolves, present];
}

function hasHostNetwork({ NodeResources }: Node, name: string | undefined): boolean {
  return NodeResources?.NodeNetworks.some((it) => it.Addresses.some(({ Alias }) => Alias === name)) ?? false;
}
