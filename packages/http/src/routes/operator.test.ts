import { SchedulerConfiguration, SchedulerConfigurationResponse } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, META, META_HEADERS } from "../test-world.ts";

const URL = "/v1/operator/scheduler/configuration";
const SchedulerConfig = SchedulerConfiguration.create({
  SchedulerAlgorithm: "binpack",
  PreemptionConfig: { SystemSchedulerEnabled: true },
  CreateIndex: 5,
  ModifyIndex: 7,
});

const operator = {
  getSchedulerConfiguration: async () => SchedulerConfigurationResponse.create({ SchedulerConfig, Meta: META }),
  setSchedulerConfiguration: async () => ({ Updated: true, Index: 9 }),
};

describe("scheduler configuration", () => {
  it("read, is shown under its name with the meta data", async () => {
    const { app } = createWorld({ answers: { operator } });
    const reply = await app.inject({ url: URL });
    expect(reply.headers).toMatchObject(META_HEADERS);
    expect(reply.json()).toEqual({
      SchedulerConfig: {
        SchedulerAlgorithm: "binpack",
        PreemptionConfig: {
          SystemSchedulerEnabled: true,
          SysBatchSchedulerEnabled: false,
          BatchSchedulerEnabled: false,
          ServiceSchedulerEnabled: false,
        },
        MemoryOversubscriptionEnabled: false,
        RejectJobRegistration: false,
        PauseEvalBroker: false,
        CreateIndex: 5,
        ModifyIndex: 7,
      },
      Index: 14,
      LastContact: 2,
      KnownLeader: true,
      NextToken: "",
    });
  });

  it.each(["PUT", "POST"] as const)("%s, is sent to the region asked for, unconditionally", async (method) => {
    const { app, calls } = createWorld({ answers: { operator }, others: ["eu"] });
    const payload = JSON.stringify({ SchedulerAlgorithm: "spread" });
    const reply = await app.inject({ method, url: `${URL}?region=eu`, payload });
    expect(reply.json()).toEqual({ Updated: true, Index: 9 });
    expect(reply.headers["x-nomad-index"]).toBe("9");
    expect(calls).toMatchObject([
      {
        region: "eu",
        method: "operator.setSchedulerConfiguration",
        request: {
          Config: { SchedulerAlgorithm: "spread", PreemptionConfig: { SystemSchedulerEnabled: false } },
          CheckIndex: false,
        },
      },
    ]);
  });

  it("with cas, names the index", async () => {
    const { app, calls } = createWorld({ answers: { operator } });
    await app.inject({ method: "PUT", url: `${URL}?cas=7`, payload: "{}" });
    expect(calls).toMatchObject([{ request: { CheckIndex: true, ModifyIndex: 7 } }]);
  });

  it.each([
    [`${URL}?cas=x`, "{}", /^Error parsing cas value/],
    [URL, "", /^Request body is empty$/],
    [URL, '{"PauseEvalBroker":1}', /of type bool$/],
  ])("%s with body %s, 400", async (url, payload, text) => {
    const { app } = createWorld({ answers: { operator } });
    const reply = await app.inject({ method: "PUT", url, payload });
    expect(reply.statusCode).toBe(400);
    expect(reply.body).toMatch(text);
  });
});
