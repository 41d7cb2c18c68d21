import { type BlockSchema, type Json, named, one } from "../schema.ts";

export const network = (): BlockSchema => ({
  attributes: {
    ...{ mode: ["Mode", "string"], hostname: ["Hostname", "string"], mbits: ["MBits", "int"] },
    ...{ device: ["Device", "string"], cidr: ["CIDR", "string"], ip: ["IP", "string"] },
  },
  blocks: { port: named("ports", port, "Label"), dns: one("DNS", dns), cni: one("CNI", cni) },
  finish: ({ ports = [], ...fields }) => ({
    ...fields,
    ReservedPorts: (ports as Json[]).filter((it) => it.Value !== undefined),
    DynamicPorts: (ports as Json[]).filter((it) => it.Value === undefined),
  }),
});

const port = (): BlockSchema => ({
  attributes: {
    ...{ static: ["Value", "int"], to: ["To", "int"], host_network: ["HostNetwork", "string"] },
    ignore_collision: ["IgnoreCollision", "bool"],
  },
});

const dns = (): BlockSchema => ({
  attributes: { servers: ["Servers", "strings"], searches: ["Searches", "strings"], options: ["Options", "strings"] },
});

const cni = (): BlockSchema => ({ attributes: { args: ["Args", "texts"] } });
