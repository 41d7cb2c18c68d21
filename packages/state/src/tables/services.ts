import type { ServiceRegistration } from "@steppe/proto";

/** Identifies a service by namespace and name, in maps and watch keys. */
export type ServiceKey = string;

export function serviceKey(namespace: string, name: string): ServiceKey {
  return `${namespace}/${name}`;
}

/** Registrations by ID, by service and by allocation. A registration is never changed in place. */
export class ServiceTable {
  readonly byId: Map<string, ServiceRegistration> = new Map();
  readonly byService: Map<ServiceKey, Map<string, ServiceRegistration>> = new Map();
  readonly byAllocation: Map<string, Map<string, ServiceRegistration>> = new Map();

  /** By service: the index at which a registration of it last came, changed or went. */
  readonly changedAt: Map<ServiceKey, number> = new Map();

  put(registration: ServiceRegistration): void {
    const { ID, Namespace, ServiceName, AllocID, ModifyIndex } = registration;
    const key = serviceKey(Namespace, ServiceName);
    this.changedAt.set(key, Math.max(this.changedAt.get(key) ?? 0, ModifyIndex));
    this.byId.set(ID, registration);
    within(this.byService, key).set(ID, registration);
    within(this.byAllocation, AllocID).set(ID, registration);
  }

  remove({ ID, Namespace, ServiceName, AllocID }: ServiceRegistration, index: number): void {
    this.changedAt.set(serviceKey(Namespace, ServiceName), index);
    this.byId.delete(ID);
    without(this.byService, serviceKey(Namespace, ServiceName), ID);
    without(this.byAllocation, AllocID, ID);
  }
}

type Nested = Map<string, Map<string, ServiceRegistration>>;

function within(map: Nested, key: string): Map<string, ServiceRegistration> {
  let inner = map.get(key);
  if (inner === undefined) {
    inner = new Map();
    map.set(key, inner);
  }
  return inner;
}

function without(map: Nested, key: string, id: string): void {
  const inner = map.get(key);
  inner?.delete(id);
  if (inner?.size === 0) map.delete(key);
}
