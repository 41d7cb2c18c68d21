/** Host and port of `host:port` or `[v6]:port`. */
export function splitAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(address);
  if (match === null) throw new Error(`not an address of the form host:port: ${address}`);
  return { host: match[1] ?? match[2] ?? "", port: Number(match[3]) };
}

export function joinAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `host`, `host:port`, `[v6]` or `[v6]:port` with the port filled in. */
export function withPort(address: string, portDefault: number): string {
  if (/^\[.+\]$/.test(address)) return `${address}:${portDefault}`;
  if (/:\d+$/.test(address) && !/^[^[]*:[^[]*:/.test(address)) return address;
  return joinAddress(address, portDefault);
}
