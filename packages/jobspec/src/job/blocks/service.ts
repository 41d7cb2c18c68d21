import { type BlockSchema, list, one } from "../schema.ts";
import { connect } from "./connect.ts";
import { identity } from "./identity.ts";

export const service = (): BlockSchema => ({
  attributes: {
    ...{ id: ["Id", "string"], name: ["Name", "string"], tags: ["Tags", "strings"] },
    ...{ canary_tags: ["CanaryTags", "strings"], enable_tag_override: ["EnableTagOverride", "bool"] },
    ...{ port: ["PortLabel", "string"], address_mode: ["AddressMode", "string"], address: ["Address", "string"] },
    ...{
      meta: ["Meta", "texts"],
      canary_meta: ["CanaryMeta", "texts"],
      tagged_addresses: ["TaggedAddresses", "texts"],
    },
    ...{ task: ["TaskName", "string"], on_update: ["OnUpdate", "string"], provider: ["Provider", "string"] },
    ...{ cluster: ["Cluster", "string"], kind: ["Kind", "string"] },
  },
  blocks: {
    ...{ check: list("Checks", check), check_restart: one("CheckRestart", checkRestart) },
    ...{ connect: one("Connect", connect), identity: one("Identity", identity), weights: one("Weights", weights) },
  },
});

const weights = (): BlockSchema => ({ attributes: { passing: ["Passing", "int"], warning: ["Warning", "int"] } });

const checkRestart = (): BlockSchema => ({
  attributes: {
    ...{ limit: ["Limit", "int"], grace: ["Grace", "duration"], ignore_warnings: ["IgnoreWarnings", "bool"] },
  },
});

const check = (): BlockSchema => ({
  attributes: {
    ...{ id: ["Id", "string"], name: ["Name", "string"], type: ["Type", "string"], command: ["Command", "string"] },
    ...{ args: ["Args", "strings"], path: ["Path", "string"], protocol: ["Protocol", "string"] },
    ...{ port: ["PortLabel", "string"], expose: ["Expose", "bool"], address_mode: ["AddressMode", "string"] },
    ...{ advertise: ["Advertise", "string"], interval: ["Interval", "duration"], timeout: ["Timeout", "duration"] },
    ...{ initial_status: ["InitialStatus", "string"], notes: ["Notes", "string"] },
    ...{ tls_server_name: ["TLSServerName", "string"], tls_skip_verify: ["TLSSkipVerify", "bool"] },
    ...{ header: ["Header", "lists"], method: ["Method", "string"], body: ["Body", "string"] },
    ...{ grpc_service: ["GRPCService", "string"], grpc_use_tls: ["GRPCUseTLS", "bool"], task: ["TaskName", "string"] },
    ...{ success_before_passing: ["SuccessBeforePassing", "int"], on_update: ["OnUpdate", "string"] },
    failures_before_critical: ["FailuresBeforeCritical", "int"],
    failures_before_warning: ["FailuresBeforeWarning", "int"],
  },
  blocks: { check_restart: one("CheckRestart", checkRestart) },
});
