// NOMAD_PORT_<label> and its kin: where a task listens, and where others find it. Pure.
import { type GivenPort, givenPorts } from "@steppe/model";
import type { Claims, Task, TaskGroup } from "@steppe/proto";

/**
 * Ports of the group's network and of the task's own, and under their task's name those of other
 * tasks. A task in the host's own network listens on the host port, whatever the mapping says.
 */
export function portVariables(group: TaskGroup, task: Task, claims: Claims | undefined): Record<string, string> {
  const mode = group.Networks[0]?.Mode || "host";
  const result: Record<string, string> = {};
  for (const port of givenPorts(group, claims)) {
    if (port.task === "" || port.task === task.Name) {
      Object.assign(result, ownVariables(port, port.task === "" && mode !== "host"));
    } else {
      Object.assign(result, addresses("", `${port.task}_${port.label}`, port.hostIp, port.value));
    }
  }
  return result;
}

function ownVariables({ label, value, to, hostIp }: GivenPort, mapped: boolean): Record<string, string> {
  const inside = mapped && to > 0 ? to : value;
  return {
    ...addresses("", label, hostIp, value),
    ...addresses("HOST_", label, hostIp, value),
    [`NOMAD_PORT_${variableName(label)}`]: String(inside),
    [`NOMAD_ALLOC_PORT_${variableName(label)}`]: String(inside),
  };
}

function addresses(kind: string, label: string, ip: string, port: number): Record<string, string> {
  const name = variableName(label);
  const host = ip.includes(":") ? `[${ip}]` : ip;
  return {
    [`NOMAD_${kind}IP_${name}`]: ip,
    [`NOMAD_${kind}PORT_${name}`]: String(port),
    [`NOMAD_${kind}ADDR_${name}`]: `${host}:${port}`,
  };
}

const variableName = (label: string): string => label.replaceAll(/[^a-zA-Z0-9_]/g, "_");
