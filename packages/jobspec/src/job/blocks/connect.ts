import { type BlockSchema, list, one } from "../schema.ts";
import { gateway } from "./gateway.ts";
import { identity } from "./identity.ts";
import { logs, resources, volumeMount } from "./task-parts.ts";

export const connect = (): BlockSchema => ({
  attributes: { native: ["Native", "bool"] },
  blocks: {
    ...{ gateway: one("Gateway", gateway), sidecar_service: one("SidecarService", sidecarService) },
    sidecar_task: one("SidecarTask", sidecarTask),
  },
});

const sidecarService = (): BlockSchema => ({
  attributes: {
    ...{ tags: ["Tags", "strings"], port: ["Port", "string"], meta: ["Meta", "texts"] },
    disable_default_tcp_check: ["DisableDefaultTCPCheck", "bool"],
  },
  blocks: { proxy: one("Proxy", proxy) },
});

const sidecarTask = (): BlockSchema => ({
  attributes: {
    ...{ name: ["Name", "string"], driver: ["Driver", "string"], user: ["User", "string"], config: ["Config", "free"] },
    ...{ env: ["Env", "texts"], meta: ["Meta", "texts"], kill_timeout: ["KillTimeout", "duration"] },
    ...{ shutdown_delay: ["ShutdownDelay", "duration"], kill_signal: ["KillSignal", "string"] },
  },
  blocks: {
    ...{ resources: one("Resources", resources), logs: one("LogConfig", logs) },
    ...{ volume_mount: list("VolumeMounts", volumeMount), identity: list("Identities", identity) },
  },
});

const proxy = (): BlockSchema => ({
  attributes: {
    local_service_address: ["LocalServiceAddress", "string"],
    ...{ local_service_port: ["LocalServicePort", "int"], config: ["Config", "free"] },
  },
  blocks: {
    ...{ upstreams: list("Upstreams", upstream), expose: one("Expose", expose) },
    transparent_proxy: one("TransparentProxy", transparentProxy),
  },
});

const expose = (): BlockSchema => ({ attributes: {}, blocks: { path: list("Paths", exposePath) } });

const exposePath = (): BlockSchema => ({
  attributes: {
    ...{ path: ["Path", "string"], protocol: ["Protocol", "string"] },
    ...{ local_path_port: ["LocalPathPort", "int"], listener_port: ["ListenerPort", "string"] },
  },
});

const upstream = (): BlockSchema => ({
  attributes: {
    ...{ destination_name: ["DestinationName", "string"], destination_namespace: ["DestinationNamespace", "string"] },
    ...{ destination_peer: ["DestinationPeer", "string"], destination_partition: ["DestinationPartition", "string"] },
    ...{ destination_type: ["DestinationType", "string"], local_bind_port: ["LocalBindPort", "int"] },
    ...{ datacenter: ["Datacenter", "string"], local_bind_address: ["LocalBindAddress", "string"] },
    local_bind_socket_path: ["LocalBindSocketPath", "string"],
    ...{ local_bind_socket_mode: ["LocalBindSocketMode", "string"], config: ["Config", "free"] },
  },
  blocks: { mesh_gateway: one("MeshGateway", meshGateway) },
});

const meshGateway = (): BlockSchema => ({ attributes: { mode: ["Mode", "string"] } });

const transparentProxy = (): BlockSchema => ({
  attributes: {
    ...{ uid: ["UID", "string"], outbound_port: ["OutboundPort", "int"], no_dns: ["NoDNS", "bool"] },
    exclude_inbound_ports: ["ExcludeInboundPorts", "strings"],
    exclude_outbound_ports: ["ExcludeOutboundPorts", "ints"],
    ...{ exclude_outbound_cidrs: ["ExcludeOutboundCIDRs", "strings"], exclude_uids: ["ExcludeUIDs", "strings"] },
  },
});
