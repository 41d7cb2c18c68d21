import type { Service } from "@steppe/proto";

/** Exactly one part in the mesh, and what a native service needs. */
export function validateConnect(service: Service): string[] {
  const connect = service.Connect;
  if (connect === undefined) return [];
  const parts = [connect.SidecarService !== undefined, connect.Native, connect.Gateway !== undefined];
  const errors: string[] = [];
  if (parts.filter(Boolean).length !== 1) {
    errors.push("Consul Connect must be exclusively native, make use of a sidecar, or represent a Gateway");
  }
  if (connect.Native && service.TaskName === "") {
    errors.push(`Service ${service.Name} is Connect Native and requires setting the task`);
  }
  if (connect.Native && service.PortLabel === "") {
    errors.push(`Service ${service.Name} is Connect Native and requires setting the port`);
  }
  return errors;
}
