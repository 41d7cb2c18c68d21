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
    {
      name: "GET schedulers",
      request: "GET /v1/agent/schedulers",
      expect: { body: { server_id: a.text, schedulers: a.list }, headers: JSON_BODY },
    },
    {
      name: "GET schedulers/config",
      request: "GET /v1/agent/schedulers/config",
      expect: { body: { server_id: a.text, num_schedulers: a.number, enabled_schedulers: a.list } },
    },
    { name: "GET servers of a client", request: "GET /v1/agent/servers", expect: { body: [a.address] } },
    {
      name: "PUT servers without an address: 400",
      request: "PUT /v1/agent/servers",
      expect: { status: 400, text: "missing server address" },
    },
    {
      name: "PUT join without an address: 400",
      request: "PUT /v1/agent/join",
      expect: { status: 400, text: "missing address to join" },
    },
    {
      name: "PUT join of nobody: 200 with what went wrong",
      request: "PUT /v1/agent/join?address=127.0.0.1:1",
      expect: { body: { num_joined: 0, error: a.text }, headers: JSON_BODY },
    },
    {
      name: "PUT force-leave without a name: 400",
      request: "PUT /v1/agent/force-leave",
      expect: { status: 400, text: "missing node to force leave" },
    },
    {
      name: "PUT force-leave with a prune that is no bool: 400",
      request: "PUT /v1/agent/force-leave?node=x&prune=maybe",
      expect: { status: 400, text: "invalid prune value" },
    },
    {
      name: "GET monitor with an unknown level: 400",
      request: "GET /v1/agent/monitor?log_level=loud",
      expect: { status: 400, text: "Unknown log level: loud" },
    },
    {
      name: "GET monitor of a node and a server: 400",
      request: "GET /v1/agent/monitor?node_id=a&server_id=b",
      expect: { status: 400, text: "Cannot target node and server simultaneously" },
    },
    {
      name: "GET monitor with a plain that is no bool: 400",
      request: "GET /v1/agent/monitor?plain=x",
      expect: { status: 400, text: 'Unknown option for plain: strconv.ParseBool: parsing "x": invalid syntax' },
    },
    {
      name: "GET monitor of a server that is not there: 404",
      request: "GET /v1/agent/monitor?server_id=nobody",
      expect: { status: 404, text: "unknown Nomad server nobody" },
      differs: "6.3",
    },
    {
      name: "GET monitor of a node that is not there: 404",
      request: "GET /v1/agent/monitor?node_id=nobody",
      expect: { status: 404, text: 'Unknown node "nobody"' },
      differs: "6.3",
    },
    {
      name: "GET monitor of a region that is not there: 500",
      request: "GET /v1/agent/monitor?region=nowhere",
      expect: { status: 500, text: "No path to region" },
    },
    {
      name: "GET host of a server by name",
      request: "GET /v1/agent/host?server_id=$name",
      expect: { body: { AgentID: a.text, HostData: {} }, headers: JSON_BODY },
    },
    {
      name: "GET host of a node",
      request: "GET /v1/agent/host?node_id=$node",
      expect: { body: { AgentID: a.text, HostData: {} }, headers: JSON_BODY },
    },
    {
      name: "GET the command line of a server",
      request: "GET /v1/agent/pprof/cmdline?server_id=$name",
      expect: { text: /agent/ },
    },
    {
      name: "GET metrics for Prometheus, with counters and summaries",
      request: "GET /v1/metrics?format=prometheus",
      expect: { text: /# TYPE nomad_raft_apply counter[\s\S]*# TYPE nomad_nomad_fsm_apply summary/ },
      differs: "6.1",
    },
    {
      name: "GET keyring/list",
      request: "GET /v1/agent/keyring/list",
      expect: { body: { Keys: {}, NumNodes: a.number }, headers: JSON_BODY },
    },
    { name: "PUT reload", request: "PUT /v1/agent/reload", expect: { text: "" } },
    {
      name: "PUT schedulers/config of nothing: 400",
      request: { line: "PUT /v1/agent/schedulers/config", body: {} },
      expect: { status: 400, text: /num_schedulers/ },
      differs: "6.1",
    },
    ...[
      ["join", "GET"],
      ["force-leave", "GET"],
      ["members", "PUT"],
      ["self", "POST"],
      ["health", "DELETE"],
    ].map(
      ([path, method]): Row => ({
        name: `${method} ${path}: 405`,
        request: `${method as "GET"} /v1/agent/${path}`,
        expect: { status: 405, text: "Invalid method" },
      }),
    ),
  ],
};

export default table;
