import { readFile, writeFile } from "node:fs/promises";
import { createAuthority, openAuthority } from "@steppe/certificates";
import { type CommandLine, readFlags, UsageError } from "../command-line.ts";

export const usage = `Usage: steppe tls ca create [options]
       steppe tls cert create -server|-client|-worker|-nats|-cli [options]

  Makes a certificate authority, and certificates signed by it, for the tls and nats blocks of an
  agent's configuration. Files are written into the current folder; none that exists is overwritten.

  ca create            Writes DOMAIN-agent-ca.pem, which every agent gets, and DOMAIN-agent-ca-key.pem,
                       which none gets: whoever has it can be anybody.
  -days N              How long it is valid; 1825 unless set.
  -domain NAME         "steppe" unless set. Agents accept certificates of "steppe" and "nomad".
  -common-name NAME    Name of the authority.

  cert create          Writes REGION-ROLE-DOMAIN.pem and REGION-ROLE-DOMAIN-key.pem.
  -server              For a server: server.REGION.DOMAIN.
  -client              For a node agent: client.REGION.DOMAIN.
  -worker              For a scheduling worker, which shows it to its region's NATS: worker.REGION.DOMAIN.
  -nats                For a node of a region's NATS: nats.REGION.DOMAIN.
  -cli                 For a person or a script that calls the HTTP API where it asks for certificates.
  -region NAME         "global" unless set.
  -ca PATH, -key PATH  The authority's files; those of "ca create" unless set.
  -days N              365 unless set.
  -domain NAME         As above.
  -additional-dnsname NAME, -additional-ipaddress IP
                       Under which clients of the HTTP API reach it, beside localhost and 127.0.0.1;
                       repeatable.
  -out NAME            Write NAME.pem and NAME-key.pem.`;

const CA_FLAGS = { days: "number", domain: "text", "common-name": "text" } as const;
const CERT_FLAGS = {
  server: "switch",
  client: "switch",
  worker: "switch",
  nats: "switch",
  cli: "switch",
  region: "text",
  ca: "text",
  key: "text",
  days: "number",
  domain: "text",
  "additional-dnsname": "list",
  "additional-ipaddress": "list",
  out: "text",
} as const;

const CA_DAYS = 1825;
const CERT_DAYS = 365;
/** Readable by the owner only. */
const KEY_MODE = 0o600;

export async function run([noun, verb, ...args]: CommandLine): Promise<number> {
  if (verb !== "create" || (noun !== "ca" && noun !== "cert")) throw new UsageError('say "ca create" or "cert create"');
  return noun === "ca" ? await createCa(args) : await createCert(args);
}

async function createCa(args: CommandLine): Promise<number> {
  const { days = CA_DAYS, domain = "steppe", "common-name": commonName } = readFlags(args, CA_FLAGS);
  const { cert, key } = await createAuthority(commonName ?? `${domain} agent authority`, days);
  await writePair(`${domain}-agent-ca`, cert, key);
  return 0;
}

async function createCert(args: CommandLine): Promise<number> {
  const flags = readFlags(args, CERT_FLAGS);
  const roles = (["server", "client", "worker", "nats", "cli"] as const).filter((role) => flags[role]);
  const [role] = roles;
  if (role === undefined || roles.length > 1)
    throw new UsageError("say one of -server, -client, -worker, -nats and -cli");
  const { region = "global", domain = "steppe", days = CERT_DAYS } = flags;
  const ca = flags.ca ?? `${domain}-agent-ca.pem`;
  const key = flags.key ?? `${domain}-agent-ca-key.pem`;
  const authority = await openAuthority(await readText(ca), await readText(key));
  // DNS names are without case, as are the regions in them.
  const name = `${role}.${region.toLowerCase()}.${domain}`;
  const signed = await authority.sign({
    commonName: name,
    dnsNames: [name, "localhost", ...flags["additional-dnsname"]],
    ipAddresses: ["127.0.0.1", ...flags["additional-ipaddress"]],
    days,
  });
  await writePair(flags.out ?? `${region}-${role}-${domain}`, signed.cert, signed.key);
  return 0;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new Error(
      `${file} cannot be read (${(cause as NodeJS.ErrnoException).code}); "steppe tls ca create" makes it`,
      {
        cause,
      },
    );
  }
}

async function writePair(name: string, cert: string, key: string): Promise<void> {
  await writeNew(`${name}-key.pem`, key, KEY_MODE);
  await writeNew(`${name}.pem`, cert, 0o644);
  process.stdout.write(`${name}.pem\n${name}-key.pem\n`);
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { mode, flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new Error(`${file} exists; it is not overwritten`, { cause });
  }
}
