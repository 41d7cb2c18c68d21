import type { Row, Table } from "../row.ts";
import { a, JSON_BODY } from "../values.ts";

const table: Table = {
  subject: "/v1/agent/* and /v1/metrics",
  rows: [
    {
      name: "GET self, configuration, member and stats",
      request: "GET /v1/agent/self",
      expect: {
        body: {
          config: { Region: "$region", Datacenter: a.text, Version: { Version: a.text }, ACL: { Enabled: false } },
          member: { Name: "$name", Addr: a.text, Port: a.number, Status: "alive", Tags: {} },
          stats: { nomad: { server: "true", leader: "true" } },
        },
        headers: JSON_BODY,
      },
    },
    {
      name: "GET members, with the tags that tools read",
      request: "GET /v1/agent/members",
      expect: {
        body: {
          ServerName: a.text,
          ServerRegion: "$region",
          ServerDC: a.text,
          Members: [
            { Name: "$name", Status: "alive", Tags: { role: "nomad", region: "$region", dc: a.text, build: a.text } },
          ],
        },
        headers: JSON_BODY,
      },
    },
    ...(["", "?type=server", "?type=client"] as const).map(
      (query): Row => ({
        name: `GET health${query}`,
        request: `GET /v1/agent/health${query}`,
        expect: { body: { [query === "?type=client" ? "client" : "server"]: { ok: true, message: "ok" } } },
      }),
    ),
    {
      name: "GET metrics, in the form of go-metrics",
      request: "GET /v1/metrics",
      expect: {
        body: { Timestamp: a.text, Gauges: a.list, Points: a.list, Counters: a.list, Samples: a.list },
        headers: JSON_BODY,
      },
    },
  ],
};

export default table;
