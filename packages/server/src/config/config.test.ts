import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SteppeError } from "@steppe/model";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileSettings, devConfig, loadConfig, parseSettings } from "./load.ts";
import type { ConfigOverrides } from "./overrides.ts";

const machine = {
  hostname: "host-1",
  interfaces: [
    { address: "127.0.0.1", family: "IPv4", internal: true },
    { address: "fe80::1", family: "IPv6", internal: false },
    { address: "203.0.113.9", family: "IPv4", internal: false },
    { address: "10.1.2.3", family: "IPv4", internal: false },
  ],
} as const;

const MINIMAL = 'data_dir = "/d"\nserver { enabled = true }\n';

/** Several HCL texts as files a.hcl, b.hcl, … */
function compile(texts: string | string[], overrides: ConfigOverrides = {}) {
  const settings = [texts].flat().map((text, i) => parseSettings(text, `${"abc"[i]}.hcl`));
  return compileSettings(settings, overrides, machine);
}

function errorOf(text: string, overrides: ConfigOverrides = {}): string {
  try {
    compile(text, overrides);
  } catch (error) {
    if (error instanceof SteppeError && error.code === "invalid") return error.message.split("\n")[0] ?? "";
    throw error;
  }
  return "no error";
}

const FULL_HCL = `
# a server and client of region eu
name       = "eu-1"
region     = "eu"
datacenter = "fra1"
data_dir   = "/opt/nomad/data"
bind_addr  = "0.0.0.0"
log_level  = "WARN"
log_json   = true
ports {
  http = 5646
  rpc  = "5647"
  serf = 5648
}
addresses { http = "127.0.0.1" }
advertise {
  http = "10.0.0.1"
  rpc  = "[2001:db8::1]:7000"
}
server {
  enabled          = true
  bootstrap_expect = 3
  heartbeat_grace  = "1m30s"
  lease_ttl        = 2000000000
  num_schedulers   = 0
  enabled_schedulers = ["service", "batch"]
  retry_join       = ["10.0.0.9"]
  server_join {
    retry_join     = ["us-1.example:4647", "[2001:db8::2]"]
    retry_interval = "15s"
  }
}
client {
  enabled    = true
  node_class = "big"
  meta {
    rack        = "r1"
    "team.name" = 7
    template    = "\${kept}"
  }
  options = { "driver.raw_exec.enable" = 1 }
  reserved {
    cpu            = 500
    memory         = 512
    reserved_ports = "22,8500-8502,22"
  }
  host_volume "certs" {
    path      = "/etc/ssl"
    read_only = true
  }
  host_volume "data" { path = "/data" }
  gc_interval = "5m"
}
nats {
  servers  = ["nats://n1:4222", "n2:4222"]
  replicas = 3
  user     = "steppe"
  password = "secret"
  tls { ca_file = "/etc/ca.pem" }
}
telemetry {
  statsd_address = "127.0.0.1:8125"
}
`;

const FULL_JSON = JSON.stringify({
  name: "eu-1",
  region: "eu",
  datacenter: "fra1",
  data_dir: "/opt/nomad/data",
  bind_addr: "0.0.0.0",
  log_level: "WARN",
  log_json: true,
  ports: { http: 5646, rpc: 5647, serf: 5648 },
  addresses: { http: "127.0.0.1" },
  advertise: [{ http: "10.0.0.1", rpc: "[2001:db8::1]:7000" }],
  server: {
    enabled: true,
    bootstrap_expect: 3,
    heartbeat_grace: "1m30s",
    lease_ttl: 2_000_000_000,
    num_schedulers: 0,
    enabled_schedulers: ["service", "batch"],
    retry_join: ["10.0.0.9"],
    server_join: { retry_join: ["us-1.example:4647", "[2001:db8::2]"], retry_interval: "15s" },
  },
  client: {
    enabled: true,
    node_class: "big",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: agent files know no templates; it must come through as it is
    meta: { rack: "r1", "team.name": "7", template: "${kept}" },
    options: { "driver.raw_exec.enable": "1" },
    reserved: { cpu: 500, memory: 512, reserved_ports: "22,8500-8502,22" },
    host_volume: [{ certs: { path: "/etc/ssl", read_only: true } }, { data: { path: "/data" } }],
    gc_interval: "5m",
  },
  nats: {
    servers: ["nats://n1:4222", "n2:4222"],
    replicas: 3,
    user: "steppe",
    password: "secret",
    tls: { ca_file: "/etc/ca.pem" },
  },
  telemetry: { statsd_address: "127.0.0.1:8125" },
});

describe("agent configuration", () => {
  test("a full Nomad file: every option arrives, with its unit, and defaults fill the rest", () => {
    const { config } = compile(FULL_HCL);

    expect(config).toMatchObject({
      dev: false,
      name: "eu-1",
      region: "eu",
      datacenter: "fra1",
      logLevel: "warn",
      logJson: true,
      ports: { http: 5646, rpc: 5647 },
      addresses: { http: "127.0.0.1", rpc: "0.0.0.0" },
      advertise: { http: { host: "10.0.0.1", port: 5646 }, rpc: { host: "2001:db8::1", port: 7000 } },
      server: {
        join: ["10.0.0.9:4647", "us-1.example:4647", "[2001:db8::2]:4647"],
        heartbeatGraceMs: 90_000,
        leaseTtlMs: 2_000,
        minHeartbeatTtlMs: 10_000,
        numSchedulers: 0,
        enabledSchedulers: ["service", "batch"],
        jobMaxPriority: 100,
      },
      client: {
        nodeClass: "big",
        nodePool: "default",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: see above
        meta: { rack: "r1", "team.name": "7", template: "${kept}" },
        options: { "driver.raw_exec.enable": "1" },
        allocDir: "/opt/nomad/data/alloc",
        reserved: { cpu: 500, memoryMb: 512, diskMb: 0, ports: [22, 8500, 8501, 8502] },
        hostVolumes: { certs: { path: "/etc/ssl", readOnly: true }, data: { path: "/data", readOnly: false } },
        gc: { intervalMs: 300_000, maxAllocs: 50 },
      },
      nats: {
        servers: ["nats://n1:4222", "n2:4222"],
        replicas: 3,
        auth: { kind: "password", user: "steppe", password: "secret" },
        tls: { caFile: "/etc/ca.pem", certFile: undefined, keyFile: undefined },
      },
    });
  });

  test("its JSON twin: the same configuration and the same warnings", () => {
    const hcl = compile(FULL_HCL);
    const json = compileSettings([parseSettings(FULL_JSON, "a.json")], {}, machine);
    const withoutPlace = (warnings: readonly string[]) => warnings.map((warning) => warning.replace(/ \(.*\)$/, ""));

    expect(json.config).toEqual(hcl.config);
    expect(withoutPlace(json.warnings)).toEqual(withoutPlace(hcl.warnings));
  });

  test("later files over earlier ones: scalars replaced, maps merged, join lists joined, other lists replaced", () => {
    const { config } = compile([
      `${MINIMAL} region = "a"
       server { join = ["s1"], enabled_schedulers = ["service"] }
       client { meta { x = "1", y = "1" } }
       nats { servers = ["n1:4222"] }`,
      `region = "b"
       server { retry_join = ["s2"], join = ["s3"], enabled_schedulers = ["batch"] }
       client { meta = { y = "2" } }
       nats { servers = ["n2:4222"], replicas = 3 }`,
    ]);

    expect(config.region).toBe("b");
    expect(config.server.join).toEqual(["s1:4647", "s3:4647", "s2:4647"]);
    expect(config.server.enabledSchedulers).toEqual(["batch"]);
    expect(config.client.meta).toEqual({ x: "1", y: "2" });
    expect(config.nats).toMatchObject({ servers: ["n2:4222"], replicas: 3 });
  });

  test("flags over files: they replace, join is added", () => {
    const { config } = compile(`${MINIMAL} region = "a"\nports { http = 1000 }\nserver { join = ["s1"] }`, {
      region: "b",
      name: "n",
      bind: "127.0.0.2",
      ports: { rpc: 0 },
      join: ["s2:9"],
      logLevel: "debug",
      natsServers: ["localhost:4222"],
    });

    expect(config).toMatchObject({
      region: "b",
      name: "n",
      ports: { http: 1000, rpc: 0 },
      advertise: { http: { host: "127.0.0.2", port: 1000 }, rpc: { host: "127.0.0.2", port: 0 } },
      logLevel: "debug",
      nats: { servers: ["localhost:4222"], replicas: 1 },
    });
    expect(config.server.join).toEqual(["s1:4647", "s2:9"]);
  });

  test("listening everywhere: advertises the first private IPv4, and loopback where there is none", () => {
    const alone = { ...machine, interfaces: machine.interfaces.slice(0, 1) };

    expect(compile(MINIMAL).config.advertise.rpc).toEqual({ host: "10.1.2.3", port: 4647 });
    expect(compileSettings([parseSettings(MINIMAL, "a.hcl")], {}, alone).config.advertise.rpc.host).toBe("127.0.0.1");
  });

  test("-dev: server and client on loopback, nothing kept, raw_exec allowed, no warnings", () => {
    const { config, warnings } = devConfig({ ports: { http: 0, rpc: 0 } }, machine);

    expect(config).toMatchObject({
      dev: true,
      name: "host-1",
      region: "global",
      dataDir: "",
      bindAddr: "127.0.0.1",
      ports: { http: 0, rpc: 0 },
      advertise: { http: { host: "127.0.0.1", port: 0 } },
      logLevel: "debug",
      server: { enabled: true, numSchedulers: 1 },
      client: { enabled: true, allocDir: "", options: { "driver.raw_exec.enable": "true" } },
      nats: undefined,
    });
    expect(warnings).toEqual([]);
  });

  test("a worker process: needs only NATS", () => {
    const { config } = compile([], { worker: true, natsServers: ["n1:4222"] });

    expect(config).toMatchObject({ worker: { enabled: true }, server: { enabled: false }, client: { enabled: false } });
  });

  test("what has no effect: each is told with file and line", () => {
    const { warnings } = compile(
      `${MINIMAL}telemetry {\n  statsd_address = "x"\n  statsd_adress = "x"\n}\nacl { enabled = false }
tls { http = false }
consul { address = "c" }
serverr {}
server { raft_multiplier = 1, join = ["old:4648"] }
ports { serf = 1 }`,
    );

    expect(warnings).toEqual([
      "option telemetry.statsd_address is not supported by this version and is ignored (a.hcl:4)",
      "unknown option telemetry.statsd_adress is ignored (a.hcl:5)",
      "option consul is not supported by this version and is ignored (a.hcl:9)",
      "unknown option serverr is ignored (a.hcl:10)",
      "option server.raft_multiplier is not needed and is ignored: the log is kept by NATS, there is no Raft in the servers (a.hcl:11)",
      "option ports.serf is not needed and is ignored: servers find each other over NATS and gRPC, there is no gossip (a.hcl:12)",
      "join address old:4648 names Nomad's gossip port; servers here are joined at their rpc port (4647)",
    ]);
  });

  test("headers, origins and limits of HTTP: compiled", () => {
    const { config, warnings } = compile(`${MINIMAL}http_api_response_headers {
  X-Frame-Options = "DENY"
}
cors {
  allowed_origins = ["https://ui.example"]
  max_age = "1m"
}
limits { http_max_conns_per_client = 7 }
enable_debug = true`);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      enableDebug: true,
      http: {
        responseHeaders: { "X-Frame-Options": "DENY" },
        connsPerClientMax: 7,
        cors: { allowedOrigins: ["https://ui.example"], allowedHeaders: [], allowCredentials: false, maxAgeMs: 60_000 },
      },
    });
    expect(compile(MINIMAL).config).toMatchObject({
      enableDebug: false,
      http: { responseHeaders: {}, connsPerClientMax: 100, cors: undefined },
    });
  });

  test.each([
    ["cors {}", "needs allowed_origins"],
    ['cors { allowed_origins = ["ui.example"] }', "must be scheme://host or scheme://host:port"],
    ['cors {\n allowed_origins = ["*"]\n allow_credentials = true\n}', "needs the origins by name"],
    ['http_api_response_headers { "a b" = "c" }', "is no HTTP header"],
    ["limits { http_max_conns_per_client = -1 }", "must be at least 0, not -1"],
  ])("%s: is refused", (text, expected) => {
    expect(() => compile(`${MINIMAL}${text}`)).toThrow(expected);
  });

  test.each([
    ["acl { enabled = true }", "acl.enabled is not supported by this version: every request would be allowed"],
  ])("%s: is refused, not ignored", (text, expected) => {
    expect(() => compile(`${MINIMAL}${text}`)).toThrow(expected);
  });

  test("a tls block: files, and names that are checked unless said otherwise", () => {
    const files = 'ca_file = "/ca.pem"\ncert_file = "/cert.pem"\nkey_file = "/key.pem"\n';
    const { config, warnings } = compile(
      `${MINIMAL}tls {\n http = true\n rpc = true\n ${files} tls_min_version = "tls13"\n rpc_upgrade_mode = true\n}`,
    );

    expect(config.tls).toEqual({
      http: true,
      rpc: true,
      caFile: "/ca.pem",
      certFile: "/cert.pem",
      keyFile: "/key.pem",
      verifyServerHostname: true,
      verifyHttpsClient: false,
      minVersion: "TLSv1.3",
    });
    expect(warnings).toEqual([
      "option tls.rpc_upgrade_mode is not supported by this version and is ignored (a.hcl:10)",
    ]);
    expect(compile(`${MINIMAL}tls {\n${files}}`).config.tls).toBeUndefined();
  });

  test.each([
    ["tls { rpc = true }", "a.hcl:3:1: tls needs ca_file where http or rpc is true"],
    ['tls { http = true, ca_file = "ca.pem" }', 'a.hcl:3:30: tls.ca_file must be an absolute path, not "ca.pem"'],
    ["tls { verify_https_client = true }", "a.hcl:3:29: tls.verify_https_client needs tls.http = true"],
    [
      'tls { http = true, ca_file = "/a", cert_file = "/b", key_file = "/c", tls_min_version = "tls11" }',
      'tls.tls_min_version must be one of tls12, tls13, not "tls11"',
    ],
    [
      "server { heartbeat_grace = true }",
      'a.hcl:3:28: server.heartbeat_grace must be a duration such as "30s" (or whole nanoseconds), not the bool true',
    ],
    ['server { heartbeat_grace = "30" }', "a.hcl:3:28: server.heartbeat_grace must be a duration"],
    [
      'server { min_heartbeat_ttl = "-1s" }',
      "a.hcl:3:30: server.min_heartbeat_ttl must be at least 1 ms, not -1000 ms",
    ],
    ['ports { http = "http" }', 'a.hcl:3:16: ports.http must be a whole number, not the string "http"'],
    ["ports { http = 70000 }", "a.hcl:3:16: ports.http must be between 0 and 65535, not 70000"],
    ["ports { rpc = 4646 }", "a.hcl:3:15: ports.rpc must differ from ports.http (4646)"],
    ["name = [1]", "a.hcl:3:8: name must be a string, not a list"],
    ['region = "a b"', "a.hcl:3:10: region must be 1 to 128 characters"],
    ["server = 1", 'a.hcl:3:10: "server" is a block'],
    ["region {}", 'a.hcl:3:1: "region" is an option, not a block'],
    ['log_level = "loud"', "a.hcl:3:13: log_level must be one of trace, debug, info, warn, error, silent"],
    [
      'bind_addr = "{{ GetInterfaceIP \\"eth0\\" }}"',
      "a.hcl:3:13: bind_addr is a go-sockaddr template, which is not supported",
    ],
    [
      'server { join = ["provider=aws tag_key=x"] }',
      "a.hcl:3:17: server.join asks for cloud discovery, which is not supported",
    ],
    ['server { enabled_schedulers = ["core"] }', "a.hcl:3:31: server.enabled_schedulers must be one of service, batch"],
    [
      "server { job_default_priority = 100 }",
      "a.hcl:3:33: server.job_default_priority must be between 50 and 99, not 100",
    ],
    [
      'client { reserved { reserved_ports = "80-22" } }',
      "a.hcl:3:38: client.reserved.reserved_ports must be ports and ranges",
    ],
    ['client { host_volume "v" {} }', "a.hcl:3:10: client.host_volume.v needs a path"],
    [
      "client { min_dynamic_port = 40000 }",
      "a.hcl:3:29: client.min_dynamic_port (40000) must not be above client.max_dynamic_port (32000)",
    ],
    ["nats {}", "a.hcl:3:1: nats needs servers"],
    ['nats { servers = ["http://x"] }', "a.hcl:3:18: nats.servers must be nats://host:port"],
    ['nats { servers = ["n:4222"], replicas = 2 }', "a.hcl:3:41: nats.replicas must be 1, 3 or 5, not 2"],
    ['nats { servers = ["n:4222"], user = "u" }', "a.hcl:3:1: nats user and password come together"],
    ['nats { servers = ["n:4222"], token = "t", credentials_file = "/c" }', "a.hcl:3:1: nats takes one of"],
    ["worker { enabled = true }", "a.hcl:3:20: worker.enabled is for processes that only schedule"],
    ['data_dir_ = "x" region = "b"', 'a.hcl:3:17: expected a new line after "data_dir_"'],
  ])("%s: refused at its place", (line, message) => {
    expect(errorOf(MINIMAL + line)).toContain(message);
  });

  test.each([
    ['data_dir = "/d"', {}, "there is nothing to run"],
    ["server { enabled = true }", {}, "data_dir must be set"],
    ['data_dir = "d"\nserver { enabled = true }', {}, "a.hcl:1:12: data_dir must be an absolute path"],
    ['data_dir = "/d"\nclient { enabled = true }', {}, "client.servers must name a server"],
    [MINIMAL, { bind: "a b" }, 'flag -bind: bind_addr must be one address, not "a b"'],
    ["", { worker: true }, "flag -worker: worker.enabled needs a nats block"],
  ] as const)("%j with flags %j: refused in words", (text, overrides, message) => {
    expect(errorOf(text, overrides)).toContain(message);
  });

  describe("files", () => {
    let folder = "";
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "steppe-config-"));
      await mkdir(join(folder, "d", "deeper.hcl"), { recursive: true });
      await writeFile(join(folder, "d", "20.json"), '{"region": "second"}');
      await writeFile(join(folder, "d", "10.hcl"), `${MINIMAL}region = "first"`);
      await writeFile(join(folder, "d", "note.txt"), "not read {");
      await writeFile(join(folder, "d", ".#10.hcl"), "not read {");
      await writeFile(join(folder, "last.conf"), 'datacenter = "dc9"');
    });
    afterAll(() => rm(folder, { recursive: true }));

    test("a folder and a file: *.hcl and *.json by name, then the file", async () => {
      const { config, files } = await loadConfig([join(folder, "d"), join(folder, "last.conf")], {}, machine);

      expect(files.map((file) => file.slice(folder.length + 1))).toEqual(["d/10.hcl", "d/20.json", "last.conf"]);
      expect(config).toMatchObject({ region: "second", datacenter: "dc9" });
    });

    test("a path that is not there: refused with its name", async () => {
      await expect(loadConfig([join(folder, "none")])).rejects.toThrow(
        /configuration .*none cannot be read \(ENOENT\)/,
      );
    });
  });
});
