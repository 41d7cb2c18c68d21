import ipaddr from "ipaddr.js";
import { toInteger, toNumber, toText, type Value } from "../value.ts";
import { type FunctionTable, MANY, refuse, taking } from "./function.ts";

/** A prefix in CIDR notation: the network's first address as a number, and how many bits are fixed. */
interface Prefix {
  readonly kind: "ipv4" | "ipv6";
  readonly width: 32 | 128;
  readonly bits: number;
  readonly network: bigint;
}

export const NETWORK_FUNCTIONS: FunctionTable = {
  cidrhost: taking(2, 2, (prefix = null, host = null) => {
    const of = prefixOf(prefix);
    const size = 1n << BigInt(of.width - of.bits);
    const number = BigInt(toInteger(host));
    // A negative number counts from the end of the range.
    const offset = number < 0n ? size + number : number;
    if (offset < 0n || offset >= size) return refuse(`prefix of ${of.bits} does not have a host ${number}`);
    return addressText(of, of.network + offset);
  }),
  cidrnetmask: taking(1, 1, (prefix = null) => {
    const of = prefixOf(prefix);
    if (of.kind !== "ipv4") return refuse("IPv6 addresses have no netmask; only IPv4 prefixes do");
    return addressText(of, ((1n << BigInt(of.bits)) - 1n) << BigInt(of.width - of.bits));
  }),
  cidrsubnet: taking(3, 3, (prefix = null, newBits = null, number = null) => {
    const of = prefixOf(prefix);
    const bits = longerPrefix(of, newBits);
    const subnet = BigInt(toInteger(number));
    if (subnet < 0n || subnet >= 1n << BigInt(bits - of.bits)) {
      return refuse(`prefix extension of ${bits - of.bits} does not have a subnet ${subnet}`);
    }
    return `${addressText(of, of.network + (subnet << BigInt(of.width - bits)))}/${bits}`;
  }),
  cidrsubnets: taking(1, MANY, (prefix = null, ...newBits) => {
    const of = prefixOf(prefix);
    const end = of.network + (1n << BigInt(of.width - of.bits));
    let next = of.network;
    return newBits.map((extension) => {
      const bits = longerPrefix(of, extension);
      if (toNumber(extension) < 1) return refuse("must extend the prefix by at least one bit");
      const size = 1n << BigInt(of.width - bits);
      // A range begins at a multiple of its own size, behind the one before.
      const start = ((next + size - 1n) / size) * size;
      if (start + size > end) return refuse(`not enough remaining address space for a prefix of ${bits} bits`);
      next = start + size;
      return `${addressText(of, start)}/${bits}`;
    });
  }),
};

function prefixOf(value: Value): Prefix {
  const text = toText(value);
  if (!ipaddr.isValidCIDR(text) || !/^[^/]+\/\d+$/.test(text) || !isPlain(text)) {
    return refuse(`invalid CIDR address: ${text}`);
  }
  const [address, bits] = ipaddr.parseCIDR(text);
  const width = address.kind() === "ipv4" ? 32 : 128;
  const free = BigInt(width - bits);
  return { kind: address.kind(), width, bits, network: (numberOf(address.toByteArray()) >> free) << free };
}

/** Four decimal parts for IPv4: the library would take `10.1/16` and octal parts too. */
function isPlain(text: string): boolean {
  return text.includes(":") || /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})\//.test(text);
}

function longerPrefix({ bits, width }: Prefix, extension: Value): number {
  const added = toInteger(extension);
  if (added < 0) return refuse("cannot extend a prefix by a negative number of bits");
  if (bits + added > width) return refuse(`not enough remaining address space to extend the prefix by ${added} bits`);
  return bits + added;
}

function numberOf(bytes: readonly number[]): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

function addressText({ width }: Prefix, address: bigint): string {
  const bytes = Array.from({ length: width / 8 }, (_, i) => Number((address >> BigInt(width - 8 - i * 8)) & 0xffn));
  return ipaddr.fromByteArray(bytes).toString();
}
