import type { Row, Table } from "../row.ts";
import { JSON_BODY } from "../values.ts";

const enterprise: readonly Row["request"][] = [
  "GET /v1/sentinel/policies",
  "GET /v1/quotas",
  "GET /v1/quota-usages",
  "GET /v1/recommendations",
];

const table: Table = {
  subject: "what has nothing behind it, and duties of the system",
  rows: [
    { name: "GET volumes: none", request: "GET /v1/volumes?type=csi", expect: { body: [], headers: JSON_BODY } },
    { name: "GET plugins: none", request: "GET /v1/plugins?type=csi", expect: { body: [], headers: JSON_BODY } },
    { name: "GET a volume: 404", request: "GET /v1/volume/csi/$id", expect: { status: 404, text: /volume not found/ } },
    { name: "GET a plugin: 404", request: "GET /v1/plugin/csi/$id", expect: { status: 404, text: /plugin not found/ } },
    {
      name: "GET ACL tokens while ACLs are off: 400",
      request: "GET /v1/acl/tokens",
      expect: { status: 400, text: "ACL support disabled" },
    },
    ...enterprise.map(
      (request): Row => ({
        name: `${request}: 501`,
        request,
        expect: { status: 501, text: "Nomad Enterprise only endpoint" },
      }),
    ),
    { name: "PUT gc, no body", request: "PUT /v1/system/gc", expect: { text: "" } },
    { name: "PUT reconcile summaries, no body", request: "PUT /v1/system/reconcile/summaries", expect: { text: "" } },
    { name: "GET gc: 405", request: "GET /v1/system/gc", expect: { status: 405, text: "Invalid method" } },
  ],
};

export default table;
