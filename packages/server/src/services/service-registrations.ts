import { type Service, SteppeError } from "@steppe/model";
import type { ServiceRegistration, ServiceRegistrationsDefinition, ServiceStub } from "@steppe/proto";
import { jobKey, type StateView, serviceKey } from "@steppe/state";
import { REGISTRATIONS, SERVICES } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, namespaceOf, type Reader } from "./read.ts";
import type { Writer } from "./write.ts";

/** Services of the provider `nomad` in this region. */
export function createServiceRegistrations(reader: Reader, writer: Writer): Service<ServiceRegistrationsDefinition> {
  return {
    async list({ Query: query }, call) {
      const wanted = inNamespace(query);
      const page = createPager(query, SERVICES);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "services" }, (view) => {
        const index = view.indexes.changedAt("services");
        const stubs = [...view.services.byService.values()].map((of) => stubOf([...of.values()]));
        const { items, next } = page(
          stubs,
          (it) => wanted(it.Namespace) && it.ServiceName.startsWith(query?.Prefix ?? ""),
        );
        return { changedAt: index, index, value: { items, next } };
      });
      return { Services: value.items, Meta: { ...meta, NextToken: value.next } };
    },

    async get({ Query: query, ServiceName, Choose }, call) {
      if (ServiceName === "") throw new SteppeError("invalid", "missing service name");
      const choice = Choose === "" ? undefined : choiceOf(Choose);
      const page = createPager(query, REGISTRATIONS);
      const namespace = namespaceOf(query);
      const key = { kind: "service", id: serviceKey(namespace, ServiceName) } as const;
      const { value, meta } = await reader.read(query, call, key, (view) => {
        const index = view.services.changedAt.get(key.id);
        return {
          changedAt: index ?? 0,
          index: index ?? view.indexes.changedAt("services"),
          value: page(view.services.byService.get(key.id)?.values() ?? []),
        };
      });
      const Registrations = choice === undefined ? value.items : chosen(value.items, choice);
      return { Registrations, Meta: { ...meta, NextToken: value.next }, Found: true };
    },

    async ofJob({ Query: query, JobID }, call) {
      const key = { kind: "job-allocations", id: jobKey(namespaceOf(query), JobID) } as const;
      const { value, meta } = await reader.read(query, call, key, (view) => {
        const job = view.jobs.byKey.get(key.id);
        return {
          changedAt: job?.allocationsIndex ?? view.indexes.deletedAt("jobs"),
          index: job?.allocationsIndex ?? view.indexes.changedAt("jobs"),
          value: job && [...job.allocations].flatMap(({ ID }) => registrationsOf(view, ID)),
        };
      });
      return { Registrations: value ?? [], Meta: meta, Found: value !== undefined };
    },

    async ofAllocation({ Query: query, AllocID }, call) {
      const key = { kind: "allocation", id: AllocID } as const;
      const { value, meta } = await reader.read(query, call, key, (view) => {
        const allocation = view.allocations.get(AllocID);
        return {
          changedAt: allocation?.ModifyIndex ?? view.indexes.deletedAt("allocations"),
          index: allocation?.ModifyIndex ?? view.indexes.changedAt("allocations"),
          value: allocation && registrationsOf(view, AllocID),
        };
      });
      return { Registrations: value ?? [], Meta: meta, Found: value !== undefined };
    },

    async deregister({ Write, ID }, call) {
      if (ID === "") throw new SteppeError("invalid", "missing service ID");
      const value = { Namespace: namespaceOf(Write), ID };
      const { Index } = await writer.write(Write, call, { $case: "DeregisterService", value });
      return { Index };
    },
  };
}

function registrationsOf(view: StateView, allocationId: string): ServiceRegistration[] {
  return [...(view.services.byAllocation.get(allocationId)?.values() ?? [])];
}

function stubOf(registrations: readonly ServiceRegistration[]): ServiceStub {
  const { Namespace = "", ServiceName = "" } = registrations[0] ?? {};
  return { Namespace, ServiceName, Tags: [...new Set(registrations.flatMap(({ Tags }) => Tags))].sort() };
}

/** `<number>|<key>` */
function choiceOf(text: string): { count: number; key: string } {
  const match = /^(\d+)\|(.+)$/s.exec(text);
  if (match === null) throw new SteppeError("invalid", "Parameter for choose must be in form '<number>|<key>'");
  return { count: Number(match[1]), key: match[2] as string };
}

/** Rendezvous hashing: callers of one key get the same few, and keep most of them when others come and go. */
function chosen(registrations: readonly ServiceRegistration[], { count, key }: { count: number; key: string }) {
  const scored = registrations.map((it) => ({ it, score: hashOf(`${key}\0${it.ID}`) }));
  scored.sort((a, b) => b.score - a.score || (a.it.ID < b.it.ID ? -1 : 1));
  return scored.slice(0, count).map(({ it }) => it);
}

/** FNV-1a, with the mix of MurmurHash3 so that texts that end alike spread too. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
