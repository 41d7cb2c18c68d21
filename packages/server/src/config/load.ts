import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseHcl } from "@steppe/jobspec";
import { SteppeError } from "@steppe/model";
import { type CompiledConfig, compileConfig, type Machine } from "./compile.ts";
import { decodeSettings } from "./decode.ts";
import { readMachine } from "./machine.ts";
import { type ConfigOverrides, settingsOfOverrides } from "./overrides.ts";
import { mergeSettings, NO_SETTINGS, type Settings } from "./settings.ts";

export interface LoadedConfig extends CompiledConfig {
  /** The files read, in the order in which they count. */
  readonly files: readonly string[];
}

/**
 * The configuration from files, folders (their `*.hcl` and `*.json`, by name, not deeper) and flags; what comes later wins.
 * @throws SteppeError `invalid` for what cannot be read, parsed or right
 */
export async function loadConfig(
  paths: readonly string[],
  overrides: ConfigOverrides = {},
  machine: Machine = readMachine(),
): Promise<LoadedConfig> {
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const texts = await Promise.all(files.map((file) => readable(file, () => readFile(file, "utf8"))));
  const written = files.map((file, i) => parseSettings(texts[i] ?? "", file));
  return { ...compileSettings(written, overrides, machine), files };
}

/** One file's settings; `.json` in the name makes it JSON, anything else is HCL. */
export function parseSettings(text: string, filename: string): Settings {
  return decodeSettings(parseHcl(text, filename, { dialect: "hcl1" }));
}

/** `-dev` without files. */
export function devConfig(overrides: ConfigOverrides = {}, machine: Machine = readMachine()): CompiledConfig {
  return compileSettings([], { ...overrides, dev: true }, machine);
}

/** Settings in the order in which they count, and the flags over them. */
export function compileSettings(
  written: readonly Settings[],
  overrides: ConfigOverrides,
  machine: Machine,
): CompiledConfig {
  const merged = [...written, settingsOfOverrides(overrides)].reduce(mergeSettings, NO_SETTINGS);
  return compileConfig(merged, overrides.dev ?? false, machine);
}

async function filesOf(path: string): Promise<string[]> {
  const found = await readable(path, () => stat(path));
  if (!found.isDirectory()) return [path];
  const entries = await readable(path, () => readdir(path, { withFileTypes: true }));
  return entries
    .filter((entry) => !entry.isDirectory() && /\.(hcl|json)$/.test(entry.name) && !isEditorFile(entry.name))
    .map((entry) => join(path, entry.name))
    .sort();
}

/** What editors leave beside the file being edited: `.#x.hcl`, `#x.hcl`, `.x.hcl`. */
function isEditorFile(name: string): boolean {
  return name.startsWith(".") || name.startsWith("#");
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    throw new SteppeError("invalid", `configuration ${path} cannot be read${reason}`, { cause });
  }
}
