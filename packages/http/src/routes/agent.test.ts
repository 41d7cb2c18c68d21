import { Member, StatusLeaderResponse, StatusPeersResponse } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld } from "../test-world.ts";

const status = {
  leader: async () => StatusLeaderResponse.create({ Address: "10.0.0.1:4647" }),
  peers: async () => StatusPeersResponse.create({ Addresses: ["10.0.0.1:4647", "10.0.0.2:4647"] }),
};

describe("regions and status", () => {
  it("regions: sorted", async () => {
    const reply = await createWorld({ others: ["eu", "ap"] }).app.inject("/v1/regions");
    expect(reply.body).toBe('["ap","eu","us"]');
  });

  it("leader and peers: of the region asked for", async () => {
    const { app, calls } = createWorld({ others: ["eu"], answers: { status } });
    expect((await app.inject("/v1/status/leader?region=eu")).body).toBe('"10.0.0.1:4647"');
    expect((await app.inject("/v1/status/peers")).body).toBe('["10.0.0.1:4647","10.0.0.2:4647"]');
    expect(calls).toMatchObject([
      { region: "eu", method: "status.leader", request: { Region: "eu" } },
      { region: "", method: "status.peers", request: { Region: "" } },
    ]);
    expect((await app.inject("/v1/status/leader?region=nowhere")).body).toBe("No path to region");
  });
});

describe("agent", () => {
  it("self: as the agent tells it", async () => {
    const self = { config: { Region: "us" }, member: { Name: "server-1.us" }, stats: {} };
    const { app } = createWorld({ agent: { self: () => self } });
    expect((await app.inject("/v1/agent/self")).json()).toEqual(self);
  });

  it("members: servers of all regions", async () => {
    const member = Member.create({
      Name: "server-2.eu",
      Region: "eu",
      Datacenter: "dc7",
      Address: "10.1.0.2",
      GrpcPort: 4647,
      ID: "a703c3ca",
      Version: "0.1.0",
      Status: "alive",
      Tags: { expect: "3" },
    });
    const { app } = createWorld({ members: [member] });
    expect((await app.inject("/v1/agent/members")).json()).toEqual({
      ServerName: "server-1.us",
      ServerRegion: "us",
      ServerDC: "dc1",
      Members: [
        {
          Name: "server-2.eu",
          Addr: "10.1.0.2",
          Port: 4647,
          Tags: {
            region: "eu",
            dc: "dc7",
            role: "nomad",
            id: "a703c3ca",
            rpc_addr: "10.1.0.2",
            port: "4647",
            build: "0.1.0",
            vsn: "1",
            expect: "3",
          },
          Status: "alive",
          ProtocolMin: 1,
          ProtocolMax: 5,
          ProtocolCur: 2,
          DelegateMin: 2,
          DelegateMax: 5,
          DelegateCur: 4,
        },
      ],
    });
  });

  const well = { ok: true, message: "ok" };
  const ill = { ok: false, message: "no leader" };
  const healths: [string, object, number, object][] = [
    ["", { server: well, client: well }, 200, { server: well, client: well }],
    ["", { server: ill, client: well }, 500, { server: ill, client: well }],
    ["?type=client", { server: ill, client: well }, 200, { client: well }],
    ["?type=server", { server: ill, client: well }, 500, { server: ill }],
    ["", { server: well }, 200, { server: well }],
  ];
  it.each(healths)("health%s of %o: %i", async (query, health, code, body) => {
    const reply = await createWorld({ agent: { health: () => health } }).app.inject(`/v1/agent/health${query}`);
    expect([reply.statusCode, reply.json()]).toEqual([code, body]);
  });
});

describe("metrics", () => {
  const sampled = { Count: 2, Sum: 3, Min: 1, Max: 2, Mean: 1.5, Stddev: 0.5, Rate: 0.3 };
  const snapshot = {
    Timestamp: "2026-11-24 02:00:00 +0000 UTC",
    Gauges: [
      { Name: "nomad.broker.ready", Labels: { type: "service" }, Value: 4 },
      { Name: "nomad.broker.ready", Labels: { type: 'a"b\\c\nd' }, Value: 1 },
    ],
    Table: {
      Names: ["nomad.job.running", "nomad.job.lost"],
      Rows: ["web", "db"].map((job, i) => ({ Labels: { job }, Values: [i + 1, i + 10] })),
    },
    Points: [],
    Counters: [{ Name: "nomad.rpc.query", Labels: {}, ...sampled }],
    Samples: [{ Name: "nomad.plan.apply", Labels: {}, ...sampled }],
  };
  const { app } = createWorld({ agent: { metrics: () => snapshot } });

  it("JSON by default", async () => {
    const { Table, ...told } = snapshot;
    const ofJobs = [
      { Name: "nomad.job.running", Labels: { job: "web" }, Value: 1 },
      { Name: "nomad.job.lost", Labels: { job: "web" }, Value: 10 },
      { Name: "nomad.job.running", Labels: { job: "db" }, Value: 2 },
      { Name: "nomad.job.lost", Labels: { job: "db" }, Value: 11 },
    ];
    const all = { ...told, Gauges: [...told.Gauges, ...ofJobs] };
    expect((await app.inject("/v1/metrics")).json()).toEqual(all);
    const bare = createWorld({ agent: { metrics: () => ({ ...snapshot, Gauges: [] }) } });
    expect((await bare.app.inject("/v1/metrics?pretty")).json()).toEqual({ ...told, Gauges: ofJobs });
  });

  it("Prometheus text when asked for", async () => {
    const reply = await app.inject("/v1/metrics?format=prometheus");
    expect(reply.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(reply.body.split("\n")).toEqual([
      "# TYPE nomad_broker_ready gauge",
      'nomad_broker_ready{type="service"} 4',
      'nomad_broker_ready{type="a\\"b\\\\c\\nd"} 1',
      "# TYPE nomad_rpc_query counter",
      "nomad_rpc_query 3",
      "# TYPE nomad_plan_apply summary",
      "nomad_plan_apply_sum 3",
      "nomad_plan_apply_count 2",
      "# TYPE nomad_job_running gauge",
      'nomad_job_running{job="web"} 1',
      'nomad_job_running{job="db"} 2',
      "# TYPE nomad_job_lost gauge",
      'nomad_job_lost{job="web"} 10',
      'nomad_job_lost{job="db"} 11',
      "",
    ]);
  });

  describe("of many jobs", () => {
    const Rows = Array.from({ length: 1_300 }, (_, i) => ({ Labels: { job: `j${i}` }, Values: [i, 2 * i] }));
    const many = { ...snapshot, Table: { ...snapshot.Table, Rows } };
    const { app } = createWorld({ agent: { metrics: () => many } });

    it("JSON, all of them in their order", async () => {
      const { Gauges } = (await app.inject("/v1/metrics")).json<{ Gauges: { Labels: object; Value: number }[] }>();
      expect(Gauges.slice(2).map(({ Value }) => Value)).toEqual(Rows.flatMap(({ Values }) => Values));
      expect(Gauges.at(-1)?.Labels).toEqual({ job: "j1299" });
    });

    it("Prometheus text, what has one name together", async () => {
      const { body } = await app.inject("/v1/metrics?format=prometheus");
      const family = (name: string, column: number) => [
        `# TYPE ${name} gauge`,
        ...Rows.map(({ Labels, Values }) => `${name}{job="${Labels.job}"} ${Values[column]}`),
      ];
      const lines = body.split("\n");
      const from = lines.indexOf("# TYPE nomad_job_running gauge");
      expect(lines.slice(from)).toEqual([...family("nomad_job_running", 0), ...family("nomad_job_lost", 1), ""]);
    });
  });
});
