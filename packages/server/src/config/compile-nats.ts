import type { Checks } from "./checks.ts";
import type { NatsAuth, NatsConfig, NatsTlsConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import type { FileOptions } from "./options.ts";

type NatsOptions = NonNullable<FileOptions["nats"]>;

export function compileNats(options: NatsOptions | undefined, checks: Checks): NatsConfig | undefined {
  if (options === undefined) return undefined;
  const { servers = [], replicas = DEFAULTS.nats.replicas } = options;
  if (servers.length === 0) checks.refuse("nats", 'needs servers, such as servers = ["nats://127.0.0.1:4222"]');
  for (const server of servers) checkUrl(server, checks);
  // An even number of copies survives no more losses than one fewer, and costs one more.
  if (![1, 3, 5].includes(replicas)) checks.refuse("nats.replicas", `must be 1, 3 or 5, not ${replicas}`);
  return { servers, replicas, auth: auth(options, checks), tls: tls(options, checks) };
}

function checkUrl(server: string, checks: Checks): void {
  const found = /^(?:(?:nats|tls):\/\/)?(?:[^@/\s]+@)?([^@/\s]+)\/?$/.exec(server);
  if (found === null) {
    checks.refuse(
      "nats.servers",
      `must be nats://host:port, tls://host:port or host:port, not ${JSON.stringify(server)}`,
    );
  }
  checks.endpoint("nats.servers", found[1] ?? "", 4222);
}

function auth(options: NatsOptions, checks: Checks): NatsAuth {
  const { user, password, token, credentials_file: file } = options;
  const ways = [user ?? password, token, file].filter((way) => way !== undefined);
  if (ways.length > 1) checks.refuse("nats", "takes one of user and password, token, or credentials_file");
  if (token !== undefined) return { kind: "token", token };
  if (file !== undefined) return { kind: "credentials", file: checks.absolute("nats.credentials_file", file) };
  if (user === undefined && password === undefined) return { kind: "none" };
  if (user === undefined || password === undefined) return checks.refuse("nats", "user and password come together");
  return { kind: "password", user, password };
}

function tls({ tls: options }: NatsOptions, checks: Checks): NatsTlsConfig | undefined {
  if (options === undefined) return undefined;
  const file = (name: "ca_file" | "cert_file" | "key_file") => {
    const path = options[name];
    return path === undefined ? undefined : checks.absolute(`nats.tls.${name}`, path);
  };
  const [caFile, certFile, keyFile] = [file("ca_file"), file("cert_file"), file("key_file")];
  if ((certFile === undefined) !== (keyFile === undefined))
    checks.refuse("nats.tls", "cert_file and key_file come together");
  return { caFile, certFile, keyFile };
}
