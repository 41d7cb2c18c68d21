import { errorAt, type Place } from "@steppe/jobspec";
import { SteppeError } from "@steppe/model";
import { type FileOptions, OPTIONS, type Table } from "./options.ts";

/** What was written, where, and what there is to say about it. Paths are dotted option names, `server.num_schedulers`. */
export interface Settings {
  readonly options: FileOptions;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly warnings: readonly string[];
}

/** A place in a file, or the command line flag that gave the value. */
export type Origin = Place | { readonly flag: string };

export const NO_SETTINGS: Settings = { options: {}, origins: new Map(), warnings: [] };

type Tree = Readonly<Record<string, unknown>>;

/**
 * The later settings over the earlier ones, as Nomad merges its files: blocks and maps by member, join lists one
 * after the other, everything else replaced. Unlike Nomad, a later `false` or 0 counts.
 */
export function mergeSettings(earlier: Settings, later: Settings): Settings {
  return {
    options: mergeTree(earlier.options, later.options, OPTIONS),
    origins: new Map([...earlier.origins, ...later.origins]),
    warnings: [...earlier.warnings, ...later.warnings],
  };
}

export function mergeTree(earlier: Tree, later: Tree, table: Table): Tree {
  const merged = { ...earlier };
  for (const [name, value] of Object.entries(later)) merged[name] = mergeValue(earlier[name], value, table[name]);
  return merged;
}

function mergeValue(earlier: unknown, later: unknown, option: Table[string] | undefined): unknown {
  if (earlier === undefined || option === undefined) return later;
  if (option === "strings+") return [...(earlier as string[]), ...(later as string[])];
  if (option === "map") return { ...(earlier as Tree), ...(later as Tree) };
  if (typeof option !== "object") return later;
  if ("block" in option) return mergeTree(earlier as Tree, later as Tree, option.block);
  if (!("labelled" in option)) return later;
  const labels = Object.fromEntries(Object.keys(later as Tree).map((label) => [label, { block: option.labelled }]));
  return mergeTree(earlier as Tree, later as Tree, labels);
}

/** An impossible value: says where it was given and which option it is. */
export function settingError(settings: Settings, path: string, message: string): SteppeError {
  const origin = settings.origins.get(path);
  if (origin === undefined) return new SteppeError("invalid", `${path} ${message}`);
  if ("flag" in origin) return new SteppeError("invalid", `flag ${origin.flag}: ${path} ${message}`);
  return errorAt(origin, `${path} ${message}`);
}
