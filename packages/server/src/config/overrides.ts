import type { FileOptions } from "./options.ts";
import type { Origin, Settings } from "./settings.ts";

/** What the command line may set over the files. Join lists are added to those of the files, the rest replaces. */
export interface ConfigOverrides {
  readonly dev?: boolean;
  readonly region?: string;
  readonly datacenter?: string;
  readonly name?: string;
  readonly bind?: string;
  readonly dataDir?: string;
  readonly ports?: { readonly http?: number; readonly rpc?: number };
  readonly logLevel?: string;
  readonly logJson?: boolean;
  readonly server?: boolean;
  readonly client?: boolean;
  readonly worker?: boolean;
  /** Servers of any region, for a server. */
  readonly join?: readonly string[];
  /** Servers of this region, for a client. */
  readonly servers?: readonly string[];
  readonly nodeClass?: string;
  readonly natsServers?: readonly string[];
}

type Path = readonly [option: string, member?: string];

/** Flag, where it goes, and its value. */
function rows(overrides: ConfigOverrides): readonly (readonly [flag: string, path: Path, value: unknown])[] {
  return [
    ["-region", ["region"], overrides.region],
    ["-dc", ["datacenter"], overrides.datacenter],
    ["-node", ["name"], overrides.name],
    ["-bind", ["bind_addr"], overrides.bind],
    ["-data-dir", ["data_dir"], overrides.dataDir],
    ["-log-level", ["log_level"], overrides.logLevel],
    ["-log-json", ["log_json"], overrides.logJson],
    ["-http-port", ["ports", "http"], overrides.ports?.http],
    ["-rpc-port", ["ports", "rpc"], overrides.ports?.rpc],
    ["-server", ["server", "enabled"], overrides.server],
    ["-join", ["server", "join"], overrides.join],
    ["-client", ["client", "enabled"], overrides.client],
    ["-servers", ["client", "servers"], overrides.servers],
    ["-node-class", ["client", "node_class"], overrides.nodeClass],
    ["-worker", ["worker", "enabled"], overrides.worker],
    ["-nats", ["nats", "servers"], overrides.natsServers],
  ];
}

/** The flags as the last of the settings to merge. */
export function settingsOfOverrides(overrides: ConfigOverrides): Settings {
  const options: Record<string, unknown> = {};
  const origins = new Map<string, Origin>();
  for (const [flag, [option, member], value] of rows(overrides)) {
    if (value === undefined) continue;
    options[option] = member === undefined ? value : { ...(options[option] as object | undefined), [member]: value };
    origins.set(member === undefined ? option : `${option}.${member}`, { flag });
  }
  return { options: options as FileOptions, origins, warnings: [] };
}
