import type { Node, NodeDeviceAttribute, NodeDeviceResource } from "@steppe/proto";
import { compareText } from "./go-text.ts";

/**
 * Names what a node has in common with others: nodes of one class answer every constraint alike
 * that does not look at something unique (`isUniqueTarget`). Covers datacenter, pool, class,
 * attributes and meta whose key does not start with "unique.", and the kinds of devices (not
 * their instances). "v1:" and a decimal number below 2^64, as clients know it.
 */
export function computedClass(node: Node): string {
  const hash = new ClassHash();
  for (const text of [node.Datacenter, node.NodeClass, node.NodePool]) hash.add(text);
  hash.addMap(node.Attributes);
  hash.addMap(node.Meta);
  const devices = (node.NodeResources?.Devices ?? []).map(describeDevice).sort(compareText);
  hash.add(String(devices.length));
  for (const device of devices) hash.add(device);
  return `v1:${hash.decimal()}`;
}

const isShared = (key: string): boolean => !key.startsWith("unique.");

function describeDevice(device: NodeDeviceResource): string {
  const attributes = Object.keys(device.Attributes)
    .filter(isShared)
    .sort(compareText)
    .map((key) => [key, describeAttribute(device.Attributes[key])]);
  return JSON.stringify([device.Vendor, device.Type, device.Name, attributes]);
}

function describeAttribute(attribute: NodeDeviceAttribute | undefined): unknown[] {
  return [attribute?.Float, attribute?.Int, attribute?.String, attribute?.Bool, attribute?.Unit];
}

/** 64 bits as two 32-bit halves: FNV-1a and a multiply-rotate hash over the same units. */
class ClassHash {
  #low = 0x811c9dc5;
  #high = 0x2f0b4c47;

  /** Length first, so that neighbouring texts cannot run together. */
  add(text: string): void {
    this.#mix(text.length);
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
  }

  addMap(map: Readonly<Record<string, string>>): void {
    const keys = Object.keys(map).filter(isShared).sort(compareText);
    this.#mix(keys.length);
    for (const key of keys) {
      this.add(key);
      this.add(map[key] as string);
    }
  }

  decimal(): string {
    const scrambled = avalanche(this.#high);
    return String((BigInt(scrambled) << 32n) | BigInt(avalanche(this.#low ^ scrambled)));
  }

  #mix(unit: number): void {
    this.#low = Math.imul(this.#low ^ unit, 0x01000193) >>> 0;
    const mixed = Math.imul(this.#high ^ Math.imul(unit, 0xcc9e2d51), 0x1b873593);
    this.#high = ((mixed << 13) | (mixed >>> 19)) >>> 0;
  }
}

/** The final mix of MurmurHash3, a bijection on 32 bits. */
function avalanche(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
