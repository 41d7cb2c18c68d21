import { quote, quoteList, SteppeError } from "@steppe/model";
import type { Job, Namespace, NamespaceCapabilities } from "@steppe/proto";
import { missingPlace, type StateView } from "@steppe/state";

/** The pool of jobs that name none. */
export function defaultPool(view: StateView, namespace: string): string {
  return view.namespaces.get(namespace)?.NodePoolConfiguration?.Default ?? "";
}

/**
 * Whether the job may be where it says: its namespace and pool exist, and the namespace's rules
 * allow what it uses. Throws in the API's words. `job` is canonical.
 */
export function checkPlace(view: StateView, job: Job): void {
  const missing = missingPlace(view, job);
  if (missing !== undefined) throw new SteppeError("refused", missing);
  const namespace = view.namespaces.get(job.Namespace);
  const reason = namespace && (forbiddenUse(namespace, job) ?? forbiddenPool(namespace, job));
  if (reason !== undefined) throw new SteppeError("refused", reason);
}

function forbiddenUse({ Name, Capabilities }: Namespace, job: Job): string | undefined {
  if (Capabilities === undefined) return undefined;
  const drivers = job.TaskGroups.flatMap((group) => group.Tasks.map((task) => task.Driver));
  const modes = job.TaskGroups.flatMap((group) => group.Networks.map((network) => network.Mode || "host"));
  return (
    notAllowed("task driver", Name, drivers.filter(forbidden(driversOf(Capabilities)))) ??
    notAllowed("group network mode", Name, modes.filter(forbidden(modesOf(Capabilities))))
  );
}

interface Rules {
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

const driversOf = (it: NamespaceCapabilities): Rules => ({
  enabled: it.EnabledTaskDrivers,
  disabled: it.DisabledTaskDrivers,
});

const modesOf = (it: NamespaceCapabilities): Rules => ({
  enabled: it.EnabledNetworkModes,
  disabled: it.DisabledNetworkModes,
});

function forbidden({ enabled, disabled }: Rules): (name: string) => boolean {
  return (name) => (enabled.length > 0 && !enabled.includes(name)) || disabled.includes(name);
}

function notAllowed(what: string, namespace: string, names: readonly string[]): string | undefined {
  const [first] = names;
  if (first === undefined) return undefined;
  if (names.length === 1) return `used ${what} ${quote(first)} is not allowed in namespace ${quote(namespace)}`;
  return `used ${what}s ${quoteList(names)} are not allowed in namespace ${quote(namespace)}`;
}

function forbiddenPool({ Name, NodePoolConfiguration: rules }: Namespace, { NodePool }: Job): string | undefined {
  if (rules === undefined || NodePool === rules.Default) return undefined;
  const matches = (patterns: readonly string[]) => patterns.some((pattern) => matchesGlob(pattern, NodePool));
  const allowed = rules.Allowed.length === 0 || matches(rules.Allowed);
  if (allowed && !matches(rules.Denied)) return undefined;
  return `node pool ${quote(NodePool)} is not allowed in namespace ${quote(Name)}`;
}

/** `*` stands for any text. */
function matchesGlob(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(text);
}
