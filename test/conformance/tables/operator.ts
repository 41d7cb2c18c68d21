import type { Row, Table } from "../row.ts";
import { a, JSON_BODY, READ_HEADERS } from "../values.ts";

const table: Table = {
  subject: "/v1/operator/*",
  rows: [
    {
      name: "GET scheduler/configuration",
      request: "GET /v1/operator/scheduler/configuration",
      expect: {
        body: {
          SchedulerConfig: { SchedulerAlgorithm: "binpack", PreemptionConfig: { SystemSchedulerEnabled: true } },
          Index: a.number,
        },
        headers: { ...JSON_BODY, ...READ_HEADERS },
      },
    },
    {
      name: "PUT scheduler/configuration without a body: 400",
      request: "PUT /v1/operator/scheduler/configuration",
      expect: { status: 400, text: "Request body is empty" },
    },
    {
      name: "PUT scheduler/configuration with ?cas of another index, changes nothing",
      request: {
        line: "PUT /v1/operator/scheduler/configuration?cas=999999",
        body: { SchedulerAlgorithm: "spread", PreemptionConfig: { SystemSchedulerEnabled: true } },
      },
      expect: { body: { Updated: false } },
    },
    {
      name: "PUT scheduler/configuration with a cas that is no index: 400",
      request: { line: "PUT /v1/operator/scheduler/configuration?cas=x", body: {} },
      expect: { status: 400, text: /^Error parsing cas value: / },
    },
    {
      name: "GET raft/configuration, who keeps the log",
      request: "GET /v1/operator/raft/configuration",
      expect: {
        body: {
          Index: a.number,
          Servers: [{ ID: a.text, Node: a.text, Address: a.text, Leader: true, Voter: true, RaftProtocol: a.text }],
        },
        headers: JSON_BODY,
      },
    },
    {
      name: "DELETE raft/peer without a name: 400",
      request: "DELETE /v1/operator/raft/peer",
      expect: { status: 400, text: /^Must specify/ },
    },
    {
      name: "GET autopilot/configuration, durations as texts",
      request: "GET /v1/operator/autopilot/configuration",
      expect: {
        body: {
          CleanupDeadServers: a.bool,
          LastContactThreshold: "200ms",
          MaxTrailingLogs: a.number,
          ServerStabilizationTime: "10s",
        },
        fields: ["MinQuorum", "EnableRedundancyZones", "DisableUpgradeMigration", "CreateIndex", "ModifyIndex"],
        headers: JSON_BODY,
      },
    },
    {
      name: "PUT autopilot/configuration with ?cas of another index, changes nothing",
      request: {
        line: "PUT /v1/operator/autopilot/configuration?cas=999999",
        body: { CleanupDeadServers: false, LastContactThreshold: "1s" },
      },
      expect: { body: false },
    },
    {
      name: "GET autopilot/health",
      request: "GET /v1/operator/autopilot/health",
      expect: {
        body: { Healthy: true, FailureTolerance: 0, Servers: [{ Healthy: true, Leader: true, SerfStatus: "alive" }] },
        headers: JSON_BODY,
      },
    },
    {
      name: "GET snapshot, a file",
      request: "GET /v1/operator/snapshot?region=$region",
      expect: { headers: { "content-type": "application/x-steppe-snapshot" }, text: /^STPS/ },
      differs: "6.1",
    },
    {
      name: "PUT snapshot that is none: 400 and nothing changes",
      request: { line: "PUT /v1/operator/snapshot", body: "not a snapshot" },
      expect: { status: 400, text: /snapshot/ },
      differs: "6.1",
    },
    {
      name: "PUT snapshot to a region that is not there: 500",
      request: { line: "PUT /v1/operator/snapshot?region=nowhere", body: "not a snapshot" },
      expect: { status: 500, text: "No path to region" },
    },
    {
      name: "DELETE snapshot: 405",
      request: "DELETE /v1/operator/snapshot",
      expect: { status: 405, text: "Invalid method" },
    },
    {
      name: "PUT scheduler/configuration of an algorithm that is none: 400",
      request: { line: "PUT /v1/operator/scheduler/configuration", body: { SchedulerAlgorithm: "x" } },
      expect: { status: 400, text: /^invalid scheduler algorithm: x/ },
    },
    {
      name: "PUT autopilot/configuration with a cas that is no index: 400",
      request: { line: "PUT /v1/operator/autopilot/configuration?cas=x", body: {} },
      expect: { status: 400, text: /^Error parsing cas value/ },
    },
    {
      name: "PUT raft/transfer-leadership by both names: 400",
      request: "PUT /v1/operator/raft/transfer-leadership?id=a&address=b",
      expect: { status: 400, text: "must specify either id or address" },
    },
    {
      name: "GET the keys that sign identities",
      request: "GET /.well-known/jwks.json",
      expect: { body: { keys: a.list }, headers: JSON_BODY },
    },
    {
      name: "GET OpenID discovery, which nobody enabled: 404",
      request: "GET /.well-known/openid-configuration",
      expect: { status: 404, text: "OIDC Discovery endpoint disabled" },
    },
    { name: "GET license: 204", request: "GET /v1/operator/license", expect: { status: 204, text: "" } },
    ...(
      [
        "PUT /v1/operator/license",
        "POST /v1/operator/utilization",
        "GET /v1/quotas",
        "GET /v1/quota/x",
        "GET /v1/quota-usages",
        "GET /v1/sentinel/policies",
        "GET /v1/recommendations",
      ] as const
    ).map(
      (request): Row => ({
        name: `${request}, of the paid edition: 501`,
        request,
        expect: { status: 501, text: "Nomad Enterprise only endpoint" },
      }),
    ),
  ],
};

export default table;
