import type { Table } from "../row.ts";
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
  ],
};

export default table;
