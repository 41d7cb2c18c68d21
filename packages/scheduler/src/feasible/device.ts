// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
import { claimAskOf, type DeviceAsk, isDeviceKind } from "@steppe/model";
import type { Constraint, Node, NodeDeviceResource, TaskGroup } from "@steppe/proto";
import type { Check } from "./check.ts";
import { type DeviceHolds, type DeviceValue, deviceOperand, deviceValue, parseDeviceValue } from "./device-value.ts";

type Rule = Pick<Constraint, "LTarget" | "RTarget"> & { readonly holds: DeviceHolds };

const IDS = "${device.ids}";

/** A task's request for devices, ready to be held against the devices of nodes. */
export class DeviceRequest {
  readonly count: number;
  /** Sum of the affinities' weights without their signs; 0 = no preference. */
  readonly totalWeight: number;
  readonly #name: string;
  readonly #rules: readonly Rule[];
  readonly #affinities: readonly (Rule & { readonly weight: number })[];

  constructor({ request, count }: Pick<DeviceAsk, "request" | "count">) {
    this.count = count;
    this.#name = request.Name;
    this.#rules = request.Constraints.filter(({ Operand }) => !Operand.startsWith("distinct_")).map(compile);
    this.#affinities = request.Affinities.map((it) => ({ ...compile(it), weight: it.Weight ?? 0 }));
    this.totalWeight = this.#affinities.reduce((sum, { weight }) => sum + Math.abs(weight), 0);
  }

  /** Whatever the number of its instances. */
  matches(kind: NodeDeviceResource): boolean {
    return isDeviceKind(this.#name, kind) && this.#rules.every((rule) => holdsFor(rule, kind));
  }

  /** Instances that constraints on `${device.ids}` leave, healthy ones only. */
  *instances(kind: NodeDeviceResource): Generator<string> {
    for (const { ID, Healthy } of kind.Instances) if (Healthy && this.#allows(ID, kind)) yield ID;
  }

  /** Sum of the weights of those affinities that hold. */
  weightOf(kind: NodeDeviceResource): number {
    return this.#affinities.reduce((sum, it) => sum + (holdsFor(it, kind) ? it.weight : 0), 0);
  }

  #allows(id: string, kind: NodeDeviceResource): boolean {
    return this.#rules.every(({ LTarget, RTarget, holds }) => {
      if (LTarget === IDS) return holds(resolve(RTarget, kind), id);
      return RTarget !== IDS || holds(resolve(LTarget, kind), id);
    });
  }
}

function compile({ LTarget, Operand, RTarget }: Pick<Constraint, "LTarget" | "Operand" | "RTarget">): Rule {
  return { LTarget, RTarget, holds: deviceOperand(Operand) };
}

function holdsFor({ LTarget, RTarget, holds }: Rule, kind: NodeDeviceResource): boolean {
  return holds(resolve(LTarget, kind), resolve(RTarget, kind));
}

const FIELDS: Readonly<Record<string, (kind: NodeDeviceResource) => string>> = {
  [IDS]: (kind) => kind.Instances.map(({ ID }) => ID).join(","),
  "${device.model}": (kind) => kind.Name,
  "${device.vendor}": (kind) => kind.Vendor,
  "${device.type}": (kind) => kind.Type,
};

function resolve(target: string, kind: NodeDeviceResource): DeviceValue | undefined {
  if (!target.startsWith("${")) return parseDeviceValue(target);
  if (Object.hasOwn(FIELDS, target)) return FIELDS[target]?.(kind);
  const key = /^\$\{device\.attr\.(.+)\}$/.exec(target)?.[1];
  const attribute = key !== undefined && Object.hasOwn(kind.Attributes, key) ? kind.Attributes[key] : undefined;
  return attribute && deviceValue(attribute);
}

/** The node has the devices that the group's tasks ask for, whoever uses them. Not by class: the class does not know of health. */
export function deviceChecks(group: TaskGroup): Check[] {
  const requests = claimAskOf(group).devices.map((ask) => new DeviceRequest(ask));
  if (requests.length === 0) return [];
  return [{ reason: "missing devices", byClass: false, accepts: (node) => hasDevices(node, requests) }];
}

function hasDevices({ NodeResources }: Node, requests: readonly DeviceRequest[]): boolean {
  const kinds = NodeResources?.Devices ?? [];
  const left = kinds.map(({ Instances }) => Instances.filter(({ Healthy }) => Healthy).length);
  return requests.every((request) => {
    const found = kinds.findIndex((kind, i) => (left[i] as number) >= request.count && request.matches(kind));
    if (found < 0) return false;
    left[found] = (left[found] as number) - request.count;
    return true;
  });
}
