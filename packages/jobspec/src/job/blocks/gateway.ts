import { type BlockSchema, list, one } from "../schema.ts";

export const gateway = (): BlockSchema => ({
  attributes: {},
  blocks: {
    ...{ proxy: one("Proxy", gatewayProxy), ingress: one("Ingress", ingress) },
    ...{ terminating: one("Terminating", terminating), mesh: one("Mesh", mesh) },
  },
});

const mesh = (): BlockSchema => ({ attributes: {} });

const gatewayProxy = (): BlockSchema => ({
  attributes: {
    ...{ connect_timeout: ["ConnectTimeout", "duration"], config: ["Config", "free"] },
    envoy_gateway_bind_tagged_addresses: ["EnvoyGatewayBindTaggedAddresses", "bool"],
    envoy_gateway_no_default_bind: ["EnvoyGatewayNoDefaultBind", "bool"],
    envoy_dns_discovery_type: ["EnvoyDNSDiscoveryType", "string"],
  },
  blocks: {
    envoy_gateway_bind_addresses: {
      ...{ name: "EnvoyGatewayBindAddresses", schema: bindAddress, form: "keyed", labels: 1, labelField: "Name" },
    },
  },
});

const bindAddress = (): BlockSchema => ({ attributes: { address: ["Address", "string"], port: ["Port", "int"] } });

const tls = (): BlockSchema => ({
  attributes: {
    ...{ enabled: ["Enabled", "bool"], tls_min_version: ["TLSMinVersion", "string"] },
    ...{ tls_max_version: ["TLSMaxVersion", "string"], cipher_suites: ["CipherSuites", "strings"] },
  },
  blocks: { sds: one("SDS", sds) },
});

const sds = (): BlockSchema => ({
  attributes: { cluster_name: ["ClusterName", "string"], cert_resource: ["CertResource", "string"] },
});

const ingress = (): BlockSchema => ({
  attributes: {},
  blocks: { tls: one("TLS", tls), listener: list("Listeners", listener) },
});

const listener = (): BlockSchema => ({
  attributes: { port: ["Port", "int"], protocol: ["Protocol", "string"] },
  blocks: { service: list("Services", ingressService) },
});

const ingressService = (): BlockSchema => ({
  attributes: {
    ...{ name: ["Name", "string"], hosts: ["Hosts", "strings"], max_connections: ["MaxConnections", "int"] },
    ...{
      max_pending_requests: ["MaxPendingRequests", "int"],
      max_concurrent_requests: ["MaxConcurrentRequests", "int"],
    },
  },
  blocks: {
    ...{ tls: one("TLS", tls), request_headers: one("RequestHeaders", headers) },
    response_headers: one("ResponseHeaders", headers),
  },
});

const headers = (): BlockSchema => ({
  attributes: { add: ["Add", "texts"], set: ["Set", "texts"], remove: ["Remove", "strings"] },
});

const terminating = (): BlockSchema => ({ attributes: {}, blocks: { service: list("Services", linkedService) } });

const linkedService = (): BlockSchema => ({
  attributes: {
    ...{ name: ["Name", "string"], ca_file: ["CAFile", "string"], cert_file: ["CertFile", "string"] },
    ...{ key_file: ["KeyFile", "string"], sni: ["SNI", "string"] },
  },
});
