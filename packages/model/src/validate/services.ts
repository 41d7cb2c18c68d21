import type { NetworkResource, Service, Task, TaskGroup } from "@steppe/proto";
import { compareText, quote } from "../go-text.ts";
import { nested } from "../multi-error.ts";
import { needsPort, validateChecks } from "./checks.ts";
import { validateConnect } from "./connect.ts";
import { portsOf } from "./network.ts";

const NAME = /^([a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9])$/i;
const ON_UPDATE = ["require_healthy", "ignore_warnings", "ignore"];
const KINDS = ["", "api-gateway", "ingress-gateway", "mesh-gateway", "terminating-gateway"];

/** What holds for a service wherever it stands. */
export function validateService(service: Service): string[] {
  return [
    ...serviceName(service),
    ...addressMode(service),
    ...onUpdate(service),
    ...provider(service),
    ...identity(service),
  ];
}

/** A name with `${…}` in it is only known on the node; each reference stands for one letter here. */
function serviceName(service: Service): string[] {
  if (NAME.test(service.Name.replace(/\$\{[^}]*\}/g, "x"))) return [];
  return [
    "Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes " +
      "and must be no longer than 63 characters",
  ];
}

function addressMode(service: Service): string[] {
  const known = ["", "auto", "host", "driver", "alloc", "alloc_ipv6"].includes(service.AddressMode);
  if (known) {
    const clash = service.Address !== "" && service.AddressMode !== "" && service.AddressMode !== "auto";
    return clash ? [`Service address_mode must be ${quote("auto")} if address is set`] : [];
  }
  return [
    `Service address_mode must be "auto", "host", "driver", "alloc" or "alloc_ipv6"; not ${quote(service.AddressMode)}`,
  ];
}

function onUpdate(service: Service): string[] {
  if (service.OnUpdate === "" || ON_UPDATE.includes(service.OnUpdate)) return [];
  return [
    `Service on_update must be "require_healthy", "ignore_warnings", or "ignore"; not ${quote(service.OnUpdate)}`,
  ];
}

function provider(service: Service): string[] {
  if (service.Provider === "consul") {
    return [
      ...validateChecks(service),
      ...(KINDS.includes(service.Kind)
        ? []
        : [`Service ${service.Name} kind must be one of consul service kind or empty`]),
      ...validateConnect(service),
    ];
  }
  if (service.Provider === "nomad") {
    const connect = service.Connect === undefined ? [] : ["Service with provider nomad cannot include Connect blocks"];
    return [...validateChecks(service), ...connect];
  }
  return [`Service provider must be "consul", or "nomad"; not ${quote(service.Provider)}`];
}

function identity(service: Service): string[] {
  if (service.Identity === undefined || service.Identity.Audience.length > 0) return [];
  return ["Service identity must provide at least one target aud value"];
}

/** Services of a task: ports they refer to exist in the task or in the group's network. */
export function validateTaskServices(task: Task, networks: readonly NetworkResource[]): string[] {
  if (task.Services.length === 0) return [];
  const errors: string[] = [];
  const referenced = new PortReferences();
  const seen = new Set<string>();
  task.Services.forEach((service, i) => {
    errors.push(...nested(`service[${i}] ${quote(service.Name)} validation failed: `, validateService(service)));
    if (service.AddressMode === "alloc") {
      errors.push(
        `service ${quote(service.Name)} cannot use address_mode="alloc", only services defined in a "group" block can use this mode`,
      );
    }
    if (seen.has(service.Name + service.PortLabel)) errors.push(`service ${quote(service.Name)} is duplicate`);
    seen.add(service.Name + service.PortLabel);
    const literal = isNumeric(service.PortLabel) && (service.AddressMode === "driver" || service.Address !== "");
    if (service.PortLabel !== "" && !literal) referenced.add(service.PortLabel, service.Name);
    if (service.Connect !== undefined) {
      errors.push(
        `service ${quote(service.Name)} cannot have "connect" block, only services defined in a "group" block can`,
      );
    }
    errors.push(...taskChecks(service, referenced));
  });
  const known = [...(networks.slice(0, 1) as NetworkResource[]), ...(task.Resources?.Networks ?? [])];
  return [...errors, ...referenced.missing(new Set(known.flatMap(portsOf).map((port) => port.Label)))];
}

function taskChecks(service: Service, referenced: PortReferences): string[] {
  const errors: string[] = [];
  const seen = new Set<string>();
  for (const check of service.Checks) {
    if (seen.has(check.Name)) errors.push(`check ${quote(check.Name)} is duplicate`);
    seen.add(check.Name);
    if (check.AddressMode === "alloc") {
      errors.push(
        `check ${quote(service.Name)} cannot use address_mode="alloc", only checks defined in a "group" service block can use this mode`,
      );
    }
    if (!needsPort(check)) continue;
    const port = check.PortLabel || service.PortLabel;
    if (port === "") {
      errors.push(`check ${quote(check.Name)} is missing a port`);
    } else if (!isNumeric(port)) {
      referenced.add(port, service.Name);
    } else if (check.AddressMode !== "driver") {
      if (service.Address === "") {
        errors.push(
          `check ${quote(check.Name)} cannot use a numeric port ${Number(port)} without setting address_mode="driver"`,
        );
      }
    } else if (Number(port) <= 0) {
      errors.push(`check ${quote(check.Name)} has invalid numeric port ${Number(port)}`);
    }
  }
  return errors;
}

const isNumeric = (text: string): boolean => /^[+-]?\d+$/.test(text);

/** Which services refer to which port labels. */
class PortReferences {
  readonly #services = new Map<string, Set<string>>();

  add(label: string, service: string): void {
    const services = this.#services.get(label) ?? new Set();
    this.#services.set(label, services.add(service));
  }

  missing(known: ReadonlySet<string>): string[] {
    return [...this.#services.keys()]
      .filter((label) => !known.has(label))
      .sort(compareText)
      .map((label) => {
        const names = [...(this.#services.get(label) ?? [])].sort(compareText);
        return `port label ${quote(label)} referenced by services ${names.join(", ")} does not exist`;
      });
  }
}

/** Services of a group, and those of its tasks against them. */
export function validateGroupServices(group: TaskGroup): string[] {
  if (group.Services.length === 0 && group.Tasks.every(({ Services }) => Services.length === 0)) return [];
  const errors: string[] = [];
  const tasks = new Set(group.Tasks.map((task) => task.Name));
  const seen = new Map<string, number>();
  const providers = new Set<string>();
  const count = (service: Service): void => {
    const id = [service.TaskName, service.Name, service.PortLabel].filter((part) => part !== "").join("-");
    seen.set(id, (seen.get(id) ?? 0) + 1);
    providers.add(service.Provider);
  };
  for (const task of group.Tasks) {
    for (const service of task.Services) {
      count(service);
      errors.push(...foreignChecks(service, task));
    }
  }
  group.Services.forEach((service, i) => {
    const own = validateService(service);
    if (own.length > 0) {
      errors.push(...nested(`Service[${i}] ${service.Name} validation failed: `, own));
      return;
    }
    count(service);
    errors.push(...groupService(service, tasks));
  });
  const repeated = [...seen].filter(([, times]) => times > 1).map(([id]) => id);
  if (repeated.length > 0) errors.push(`Services are not unique: ${repeated.join(", ")}`);
  if (providers.size > 1) {
    errors.push("Multiple service providers used: task group services must use the same provider");
  }
  return errors;
}

function foreignChecks(service: Service, task: Task): string[] {
  return service.Checks.filter((check) => check.TaskName !== "" && check.TaskName !== task.Name).map(
    (check) => `Check ${check.Name} is invalid: only task group service checks can be assigned tasks`,
  );
}

function groupService(service: Service, tasks: ReadonlySet<string>): string[] {
  const errors: string[] = [];
  if (service.AddressMode === "driver") {
    errors.push(
      `service ${quote(service.Name)} cannot use address_mode="driver", only services defined in a "task" block can use this mode`,
    );
  }
  for (const check of service.Checks) {
    if (check.TaskName === "") continue;
    if (check.Type !== "script" && check.Type !== "grpc") {
      errors.push(`Check ${check.Name} invalid: only script and gRPC checks should have tasks`);
    }
    if (check.AddressMode === "driver") {
      errors.push(
        `Check ${quote(service.Name)} invalid: cannot use address_mode="driver", only checks defined in a "task" service block can use this mode`,
      );
    }
    if (!tasks.has(check.TaskName)) {
      errors.push(`Check ${check.Name} invalid: refers to non-existent task ${check.TaskName}`);
    }
  }
  return errors;
}

/** A script runs inside a task: a group's service has to say which. */
export function validateScriptChecks(group: TaskGroup): string[] {
  return group.Services.filter((service) => service.TaskName === "").flatMap((service) =>
    service.Checks.filter((check) => check.Type === "script" && check.TaskName === "").map(
      (check) => `Service [${group.Name}]->${service.Name} or Check ${check.Name} must specify task parameter`,
    ),
  );
}
