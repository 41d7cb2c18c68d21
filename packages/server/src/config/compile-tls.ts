import type { Checks } from "./checks.ts";
import type { TlsConfig } from "./config.ts";
import type { FileOptions } from "./options.ts";

type TlsFileOptions = NonNullable<FileOptions["tls"]>;

/** Nomad's spelling; TLS 1.0 and 1.1 are broken and not offered. */
const VERSIONS = { tls12: "TLSv1.2", tls13: "TLSv1.3" } as const;

/** Undefined: both HTTP and gRPC in clear text. */
export function compileTls(options: TlsFileOptions | undefined, checks: Checks): TlsConfig | undefined {
  const { http = false, rpc = false, verify_https_client: verifyHttpsClient = false } = options ?? {};
  if (verifyHttpsClient && !http) checks.refuse("tls.verify_https_client", "needs tls.http = true");
  if (options === undefined || (!http && !rpc)) return undefined;
  const file = (name: "ca_file" | "cert_file" | "key_file") => {
    const path = options[name];
    if (path === undefined) return checks.refuse("tls", `needs ${name} where http or rpc is true`);
    return checks.absolute(`tls.${name}`, path);
  };
  return {
    http,
    rpc,
    caFile: file("ca_file"),
    certFile: file("cert_file"),
    keyFile: file("key_file"),
    verifyServerHostname: options.verify_server_hostname ?? true,
    verifyHttpsClient,
    minVersion: VERSIONS[checks.oneOf("tls.tls_min_version", options.tls_min_version ?? "tls12", ["tls12", "tls13"])],
  };
}
