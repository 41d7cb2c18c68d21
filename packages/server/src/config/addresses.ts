/** Where others reach a listener. */
export interface Endpoint {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A network address of this machine, as `os.networkInterfaces` tells it. */
export interface InterfaceAddress {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  /** Loopback. */
  readonly internal: boolean;
}

/** `host:port`, with brackets round IPv6. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address; undefined when it is none of them. */
export function parseEndpoint(text: string, defaultPort: number): Endpoint | undefined {
  if (/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text)) return { host: text, port: defaultPort };
  const found = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text);
  if (found === null) return undefined;
  const port = found[3] === undefined ? defaultPort : Number(found[3]);
  return port > 65_535 ? undefined : { host: found[1] ?? found[2] ?? "", port };
}

/** Why a text is no address, in words that follow the option's name. */
export function describeBadAddress(text: string): string {
  if (text.includes("{{"))
    return `is a go-sockaddr template, which is not supported: write the address itself instead of ${text}`;
  if (text.includes("provider="))
    return `asks for cloud discovery, which is not supported: list the addresses instead of ${text}`;
  if (/\s/.test(text.trim())) return `must be one address, not ${JSON.stringify(text)}`;
  return `must be a host or host:port, not ${JSON.stringify(text)}`;
}

const PRIVATE_IPV4 = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;

/** What to advertise for a listener on `bind`: itself, or where it listens everywhere, the first private IPv4. */
export function advertisedHost(bind: string, interfaces: readonly InterfaceAddress[]): string {
  if (bind !== "0.0.0.0" && bind !== "::") return bind;
  const found = interfaces.find((each) => each.family === "IPv4" && !each.internal && PRIVATE_IPV4.test(each.address));
  return found?.address ?? "127.0.0.1";
}
