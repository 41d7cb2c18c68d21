import type { CheckRestart, Service, ServiceCheck } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { nested } from "../multi-error.ts";
import { formatDuration, SECOND } from "../time.ts";

const TYPES = { consul: ["grpc", "tcp", "http", "script"], nomad: ["tcp", "http"] } as const;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"];

export function needsPort(check: ServiceCheck): boolean {
  return check.Type === "grpc" || check.Type === "http" || check.Type === "tcp";
}

/** Checks of a service by what its provider can do. */
export function validateChecks(service: Service): string[] {
  return service.Checks.flatMap((check) => {
    if (needsPort(check) && check.PortLabel === "" && service.PortLabel === "") {
      return [
        `Check ${check.Name} invalid: check requires a port but neither check nor service ${quote(service.Name)} have a port`,
      ];
    }
    if (service.Provider === "nomad") return first(nomadCheck(check));
    if (check.Type === "tcp" && service.Connect?.SidecarService !== undefined) {
      return [`Check ${check.Name} invalid: tcp checks are not valid for Connect enabled services`];
    }
    return first(consulCheck(check)).map((error) => `Check ${check.Name} invalid: ${error}`);
  });
}

/** Of a check only the first reason is told. */
function first(errors: Iterable<string>): string[] {
  for (const error of errors) return [error];
  return [];
}

function* common(check: ServiceCheck, types: readonly string[]): Generator<string> {
  const type = check.Type.toLowerCase();
  if (!types.includes(type)) yield `invalid check type (${quote(type)}), must be one of ${types.join(", ")}`;
  if (type === "http") {
    if (check.Path === "") yield "http type must have http path";
    if (/^[a-z][a-z0-9+.-]*:/i.test(check.Path)) yield "http type must have relative http path";
  }
  if (type === "script" && check.Command === "") yield "script type must have a valid script path";
  yield* duration("interval", check.Interval);
  yield* duration("timeout", check.Timeout);
  if (!["", "passing", "warning", "critical"].includes(check.InitialStatus)) {
    yield `invalid initial check state (${check.InitialStatus}), must be one of "passing", "warning", "critical" or empty`;
  }
  if (check.AddressMode === "auto") yield 'invalid address_mode "auto" - auto only valid for services';
  if (!["", "host", "driver", "alloc", "alloc_ipv6"].includes(check.AddressMode)) {
    yield `invalid address_mode ${quote(check.AddressMode)}`;
  }
  yield* onUpdate(check);
  yield* nested("", checkRestart(check.CheckRestart));
}

function* duration(name: "interval" | "timeout", value: number): Generator<string> {
  const least = formatDuration(SECOND);
  if (value === 0) {
    const title = name === "interval" ? "Interval" : "Timeout";
    yield `missing required value ${name}. ${title} cannot be less than ${least}`;
  } else if (value < SECOND) {
    yield name === "interval"
      ? `interval (${formatDuration(value)}) cannot be lower than ${least}`
      : `timeout (${formatDuration(value)}) is lower than required minimum timeout ${least}`;
  }
}

function* onUpdate(check: ServiceCheck): Generator<string> {
  const { OnUpdate, CheckRestart: restart } = check;
  if (!["", "ignore", "require_healthy", "ignore_warnings"].includes(OnUpdate)) {
    yield `on_update must be "require_healthy", "ignore_warnings", or "ignore"; got ${quote(OnUpdate)}`;
  }
  if (restart === undefined) return;
  if (OnUpdate === "ignore") yield `on_update value ${quote(OnUpdate)} is not compatible with check_restart`;
  if (!restart.IgnoreWarnings && OnUpdate === "ignore_warnings") {
    yield `on_update value ${quote(OnUpdate)} not supported with check_restart ignore_warnings value "false"`;
  }
}

function checkRestart(restart: CheckRestart | undefined): string[] {
  const errors: string[] = [];
  const { Limit = 0, Grace = 0 } = restart ?? {};
  if (Limit < 0) errors.push(`limit must be greater than or equal to 0 but found ${Limit}`);
  if (Grace < 0) errors.push(`grace period must be greater than or equal to 0 but found ${Grace}`);
  return errors;
}

const COUNTS = {
  success_before_passing: "SuccessBeforePassing",
  failures_before_critical: "FailuresBeforeCritical",
  failures_before_warning: "FailuresBeforeWarning",
} as const satisfies Record<string, keyof ServiceCheck>;

function* consulCheck(check: ServiceCheck): Generator<string> {
  yield* common(check, TYPES.consul);
  const type = check.Type.toLowerCase();
  if (check.Expose && type !== "grpc" && type !== "http") yield "expose may only be set on HTTP or gRPC checks";
  for (const [name, field] of Object.entries(COUNTS)) {
    if (check[field] < 0) yield `${name} must be non-negative`;
    if (check[field] > 0 && check.Type === "script")
      yield `${name} not supported for check of type ${quote(check.Type)}`;
  }
  if (check.Notes.length > 255) yield "notes must not be longer than 255 characters";
}

function* nomadCheck(check: ServiceCheck): Generator<string> {
  yield* common(check, TYPES.nomad);
  if (check.Expose) yield "expose may only be set for Consul service checks";
  if (check.OnUpdate === "ignore_warnings") {
    yield "on_update may only be set to ignore_warnings for Consul service checks";
  }
  if (check.CheckRestart?.IgnoreWarnings === true) {
    yield "ignore_warnings on check_restart only supported for Consul service checks";
  }
  if (check.AddressMode === "driver") yield "address_mode = driver may only be set for Consul service checks";
  if (check.Type === "http" && check.Method !== "" && !METHODS.includes(check.Method.toUpperCase())) {
    yield `method type ${quote(check.Method)} not supported in Nomad http check`;
  }
  for (const [name, field] of Object.entries(COUNTS)) {
    if (check[field] !== 0) yield `${name} may only be set for Consul service checks`;
  }
  if (check.TLSServerName !== "") yield "tls_server_name may only be set for Consul service checks";
}
