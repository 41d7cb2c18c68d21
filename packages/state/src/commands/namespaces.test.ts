import { mockJob } from "@steppe/model/internal";
import { Namespace, NodePool, RegisterJob } from "@steppe/proto";
import { expect, test } from "vitest";
import { decodeSnapshot } from "../decode-snapshot.ts";
import { encodeSnapshot } from "../encode-snapshot.ts";
import { Ledger } from "../testing/ledger.ts";

test("namespaces and pools, come back from a snapshot, changed built-in ones included", () => {
  const ledger = new Ledger();
  const named = [
    Namespace.create({ Name: "dev", Meta: { a: "b" } }),
    Namespace.create({ Name: "default", Quota: "q" }),
  ];
  ledger.run({ $case: "UpsertNamespaces", value: { Namespaces: named } });
  ledger.run({ $case: "UpsertNodePools", value: { NodePools: [NodePool.create({ Name: "gpu" })], OnlyNew: false } });
  const { state } = ledger;
  const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(state)]));
  expect(restored.namespaces.byName).toEqual(state.namespaces.byName);
  expect(restored.nodePools.byName).toEqual(state.nodePools.byName);
  expect(restored.namespaces.get("default")?.Quota).toBe("q");
  expect(restored.digest.value).toBe(state.digest.value);
  expect(ledger.replay().digest.value).toBe(state.digest.value);
});

test("a pool that a node brings, leaves one of that name as it is", () => {
  const ledger = new Ledger();
  const upsert = (Description: string, OnlyNew: boolean) =>
    ledger.run({
      $case: "UpsertNodePools",
      value: { NodePools: [NodePool.create({ Name: "gpu", Description })], OnlyNew },
    });
  upsert("first", false);
  upsert("", true);
  expect(ledger.state.nodePools.get("gpu")?.Description).toBe("first");
});

test("a namespace deleted while a registration is on its way, the registration is refused", () => {
  const ledger = new Ledger();
  ledger.run({ $case: "UpsertNamespaces", value: { Namespaces: [Namespace.create({ Name: "dev" })] } });
  ledger.run({ $case: "DeleteNamespaces", value: { Names: ["dev"], Region: "global" } });
  const Job = mockJob({ ID: "web", Namespace: "dev" });
  const value = { ...RegisterJob.create(), Job, CheckPlace: true };
  const { Refusal } = ledger.run({ $case: "RegisterJob", value });
  expect(Refusal?.Message).toBe('job "web" is in nonexistent namespace "dev"');
  expect(ledger.state.jobs.byKey.size).toBe(0);
});
