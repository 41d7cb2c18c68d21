import type { Affinity, NetworkResource, Spread } from "@steppe/proto";

export function fillAffinities(affinities: readonly Affinity[]): void {
  for (const affinity of affinities) affinity.Weight ??= 50;
}

export function fillSpreads(spreads: readonly Spread[]): void {
  for (const spread of spreads) spread.Weight ??= 50;
}

export function fillNetworks(networks: readonly NetworkResource[]): void {
  for (const network of networks) {
    for (const port of network.ReservedPorts) port.HostNetwork ||= "default";
    for (const port of network.DynamicPorts) port.HostNetwork ||= "default";
  }
}
