import type { Node, NodeResources } from "@steppe/proto";

/** MHz of one core: cores share evenly in what the machine has. 0 for a node that does not tell its cores. */
export function coreSpeed(resources: NodeResources | undefined): number {
  const { CpuShares = 0, TotalCpuCores = 0 } = resources?.Cpu ?? {};
  return TotalCpuCores > 0 ? Math.floor(CpuShares / TotalCpuCores) : 0;
}

/** The cores that a node lets tasks have to themselves, ascending. */
export function reservableCores({ NodeResources, ReservedResources }: Node): number[] {
  const reserved = ReservedResources?.Cpu?.ReservedCpuCores ?? [];
  const cores = NodeResources?.Cpu?.ReservableCpuCores ?? [];
  return [...new Set(cores)].filter((core) => !reserved.includes(core)).sort((a, b) => a - b);
}
