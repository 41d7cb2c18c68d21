// What the machine says of itself.
import { existsSync, readFileSync, statfsSync } from "node:fs";
import os from "node:os";
import { readIfThere } from "../durable-files.ts";

export interface Machine {
  readonly hostname: string;
  readonly arch: string;
  readonly cores: readonly Core[];
  readonly cpuModel: string;
  readonly memoryBytes: number;
  readonly kernelName: string;
  readonly kernelVersion: string;
  readonly osName: string;
  readonly osVersion: string;
  readonly network: { readonly device: string; readonly address: string; readonly mac: string; readonly cidr: string };
  readonly storage: { readonly bytesTotal: number; readonly bytesFree: number };
}

export interface Core {
  readonly id: number;
  readonly mhz: number;
}

/** A core whose speed the system does not tell (many virtual machines). */
const GUESSED_MHZ = 2000;

/** `storagePath` is on the disk that allocations use. */
export function readMachine(storagePath: string): Machine {
  const release = osRelease();
  return {
    hostname: os.hostname(),
    arch: architecture(os.arch()),
    cores: os.cpus().map((cpu, id) => ({ id, mhz: coreMhz(id, cpu.speed) })),
    cpuModel: os.cpus()[0]?.model.trim() ?? "",
    memoryBytes: os.totalmem(),
    kernelName: os.platform(),
    kernelVersion: os.release(),
    osName: release.ID ?? os.platform(),
    osVersion: release.VERSION_ID ?? "",
    network: defaultNetwork(),
    storage: storageOf(storagePath),
  };
}

/** Go's names, which jobs constrain on. */
function architecture(name: string): string {
  const names: Record<string, string> = { x64: "amd64", ia32: "386" };
  return names[name] ?? name;
}

/** The highest speed the core is rated for; what it runs at now only where nothing better is known. */
function coreMhz(id: number, nowMhz: number): number {
  const rated = readIfThere(`/sys/devices/system/cpu/cpu${id}/cpufreq/base_frequency`);
  const highest = rated ?? readIfThere(`/sys/devices/system/cpu/cpu${id}/cpufreq/cpuinfo_max_freq`);
  const khz = Number(highest ?? 0);
  if (khz > 0) return Math.round(khz / 1000);
  return nowMhz > 0 ? nowMhz : GUESSED_MHZ;
}

function osRelease(): Record<string, string> {
  if (!existsSync("/etc/os-release")) return {};
  const lines = readFileSync("/etc/os-release", "utf8").split("\n");
  const pairs = lines.map((line) => /^([A-Z_]+)=(.*)$/.exec(line)).filter((match) => match !== null);
  return Object.fromEntries(pairs.map(([, key, value]) => [key, (value ?? "").replace(/^"(.*)"$/, "$1")]));
}

/** The first address that others can reach, else the loopback. */
function defaultNetwork(): Machine["network"] {
  const all = Object.entries(os.networkInterfaces()).flatMap(([device, addresses]) =>
    (addresses ?? []).map((address) => ({ device, ...address })),
  );
  const found =
    all.find((entry) => entry.family === "IPv4" && !entry.internal) ?? all.find((entry) => entry.family === "IPv4");
  if (found === undefined) return { device: "", address: "127.0.0.1", mac: "", cidr: "127.0.0.1/32" };
  return { device: found.device, address: found.address, mac: found.mac, cidr: `${found.address}/32` };
}

function storageOf(path: string): Machine["storage"] {
  const stat = statfsSync(path);
  return { bytesTotal: stat.blocks * stat.bsize, bytesFree: stat.bavail * stat.bsize };
}
