// The checks that a group asks its node to make: those of services of the provider `nomad`. Pure.
import { type GivenPort, givenPorts } from "@steppe/model";
import type { AssignedAllocation, Node, Service, ServiceCheck, TaskGroup } from "@steppe/proto";
import { interpolate, type Variables } from "../drivers/interpolate.ts";

/** What is asked, of whom. */
export type Question =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "http";
      readonly host: string;
      readonly port: number;
      readonly tls: boolean;
      /** Whether to ask who signed the certificate. */
      readonly verify: boolean;
      readonly path: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, readonly string[]>>;
      readonly body: string;
    };

export interface CheckPlan {
  /** Of what the check says and where it stands: a check that changed is another one. */
  readonly key: string;
  readonly check: string;
  readonly service: string;
  /** The task whose service it is; empty for the group's own. */
  readonly task: string;
  /** Failing, it keeps a rollout waiting (`healthiness`) or does not (`readiness`). */
  readonly mode: "healthiness" | "readiness";
  readonly question: Question;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly restart: RestartOnFailure | undefined;
}

export interface RestartOnFailure {
  /** Failures in a row that lead to a restart, from 1 on. */
  readonly limit: number;
  /** From a task's start on, failures do not count for so long. */
  readonly graceMs: number;
  /** Empty: all tasks of the group. */
  readonly task: string;
}

const INTERVAL_NS = 10e9;
const TIMEOUT_NS = 2e9;

/** `variablesOf` a task's, or of the group where its name is empty. */
export function checksOf(
  group: TaskGroup,
  allocation: AssignedAllocation,
  node: Node,
  variablesOf: (task: string) => Variables,
): CheckPlan[] {
  const ports = givenPorts(group, allocation.Claims);
  const plansOf = (service: Service, task: string) =>
    service.Provider !== "nomad"
      ? []
      : service.Checks.map((check) => {
          // The ports of a task's own network come first.
          const near = [
            ...ports.filter((it) => it.task !== "" && it.task === task),
            ...ports.filter((it) => it.task === ""),
          ];
          return planOf(service, check, task, near, node, variablesOf(task));
        });
  return [
    ...group.Services.flatMap((service) => plansOf(service, "")),
    ...group.Tasks.flatMap((task) => task.Services.flatMap((service) => plansOf(service, task.Name))),
  ];
}

function planOf(
  service: Service,
  check: ServiceCheck,
  task: string,
  ports: readonly GivenPort[],
  node: Node,
  variables: Variables,
): CheckPlan {
  const fill = (text: string) => interpolate(text, variables);
  const { Limit = 0, Grace = 0 } = check.CheckRestart ?? {};
  const place = addressOf(service, check, ports, node, fill);
  const plan = {
    check: fill(check.Name),
    service: fill(service.Name),
    task,
    mode: check.OnUpdate === "ignore" ? ("readiness" as const) : ("healthiness" as const),
    question:
      check.Type.toLowerCase() === "http" ? httpQuestion(check, place, fill) : { kind: "tcp" as const, ...place },
    intervalMs: (check.Interval || INTERVAL_NS) / 1e6,
    timeoutMs: (check.Timeout || TIMEOUT_NS) / 1e6,
    restart:
      Limit > 0 ? { limit: Limit, graceMs: Grace / 1e6, task: check.TaskName || service.TaskName || task } : undefined,
  };
  return { key: JSON.stringify(plan), ...plan };
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function httpQuestion(check: ServiceCheck, place: Place, fill: (text: string) => string): Question {
  const headers = Object.entries(check.Header).map(([name, { Values }]) => [fill(name), Values.map(fill)] as const);
  return {
    ...{ kind: "http", ...place, tls: check.Protocol === "https", method: check.Method || "GET" },
    ...{ verify: !check.TLSSkipVerify, path: fill(check.Path) || "/" },
    ...{ headers: Object.fromEntries(headers), body: fill(check.Body) },
  };
}

function addressOf(
  service: Service,
  check: ServiceCheck,
  ports: readonly GivenPort[],
  node: Node,
  fill: (text: string) => string,
): Place {
  const label = check.PortLabel || service.PortLabel;
  const port = ports.find((it) => it.label === label);
  const number = /^\d+$/.test(label) ? Number(label) : 0;
  return { host: fill(service.Address) || port?.hostIp || nodeAddress(node), port: port?.value ?? number };
}

function nodeAddress({ Attributes }: Node): string {
  return Attributes["unique.network.ip-address"] || "127.0.0.1";
}
