import type { NetworkResource, Port, TaskGroup } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { PORT_MAX } from "../port-ranges.ts";

const DNS_LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** Ports of a group's network and, in the older form, of its tasks: no label and no static port twice. */
export function validateGroupNetworks(group: TaskGroup): string[] {
  const labels = new Map<string, string>();
  const reserved = new Map<string, string>();
  const errors: string[] = [];
  for (const network of group.Networks) {
    for (const port of portsOf(network)) {
      const other = labels.get(port.Label);
      if (other === undefined) labels.set(port.Label, "taskgroup network");
      else errors.push(`Port label ${port.Label} already in use by ${other}`);
      errors.push(...checkValue(port, "taskgroup network", reserved), ...checkMapping(port));
    }
    if (network.Hostname !== "" && !isHostname(network.Hostname)) errors.push("Hostname is not a valid DNS name");
  }
  for (const task of group.Tasks) {
    for (const port of (task.Resources?.Networks ?? []).flatMap(portsOf)) {
      const other = labels.get(port.Label);
      if (other !== undefined) errors.push(`Port label ${port.Label} already in use by ${other}`);
      errors.push(...checkValue(port, task.Name, reserved));
    }
  }
  return errors;
}

export function portsOf(network: NetworkResource): Port[] {
  return [...network.ReservedPorts, ...network.DynamicPorts];
}

function checkValue(port: Port, owner: string, reserved: Map<string, string>): string[] {
  if (port.Value === 0) return [];
  const key = `${port.HostNetwork || "default"} ${port.Value}`;
  const other = reserved.get(key);
  if (other !== undefined && !port.IgnoreCollision) {
    return [`Static port ${port.Value} already reserved by ${other}`];
  }
  if (port.Value > PORT_MAX) return [`Port ${port.Label} (${port.Value}) cannot be greater than ${PORT_MAX}`];
  if (port.Value < 0) return [`Port ${port.Label} (${port.Value}) cannot be negative`];
  reserved.set(key, `${owner}:${port.Label}`);
  return [];
}

function checkMapping(port: Port): string[] {
  if (port.To < -1) return [`Port ${quote(port.Label)} cannot be mapped to negative value ${port.To}`];
  if (port.To > PORT_MAX) {
    return [`Port ${quote(port.Label)} cannot be mapped to a port (${port.To}) greater than ${PORT_MAX}`];
  }
  return [];
}

/** A name with `${…}` in it is only known on the node. */
function isHostname(name: string): boolean {
  return name.includes("${") || (name.length <= 253 && name.split(".").every((label) => DNS_LABEL.test(label)));
}
