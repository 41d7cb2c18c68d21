// Certificates from files, and what must be in them for this agent to be let in by others.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { type Logger, SteppeError } from "@steppe/model";
import { certificateNames, describeNames, hasRole, TlsIdentity, type TlsMaterial } from "@steppe/regions";
import type { AgentConfig, TlsConfig } from "./config/index.ts";

/** Undefined where the configuration has no TLS. Rejects with what is wrong with the files. */
export async function openTls(config: AgentConfig): Promise<TlsIdentity | undefined> {
  const { tls } = config;
  if (tls === undefined) return undefined;
  const material = await readMaterial(tls);
  checkNames(config, tls, material);
  return new TlsIdentity(material, { verifyNames: tls.verifyServerHostname, minVersion: tls.minVersion });
}

/** Reads the files again. New connections use what is there now; a set that is wrong is refused and the old one stays. */
export async function reloadTls(config: AgentConfig, identity: TlsIdentity, logger: Logger): Promise<void> {
  if (config.tls === undefined) return;
  try {
    const material = await readMaterial(config.tls);
    checkNames(config, config.tls, material);
    identity.replace(material);
    const { validTo } = new X509Certificate(material.cert);
    logger.info({ cert: config.tls.certFile, validTo }, "certificates read again");
  } catch (err) {
    logger.error({ err }, "the new certificates cannot be used; the old ones stay");
  }
}

async function readMaterial({ caFile, certFile, keyFile }: TlsConfig): Promise<TlsMaterial> {
  // One after the other, so that of several that are missing the same one is named each time.
  const ca = await read("tls.ca_file", caFile);
  const cert = await read("tls.cert_file", certFile);
  const key = await read("tls.key_file", keyFile);
  const material = { ca, cert, key };
  checkPair(material, certFile, keyFile);
  return material;
}

async function read(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    throw new SteppeError("invalid", `${option} ${file} cannot be read${reason}`, { cause });
  }
}

function checkPair({ ca, cert, key }: TlsMaterial, certFile: string, keyFile: string): void {
  try {
    createSecureContext({ ca, cert, key });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SteppeError(
      "invalid",
      `tls.cert_file ${certFile} and tls.key_file ${keyFile} cannot be used: ${reason}`,
      {
        cause,
      },
    );
  }
}

/** Others would refuse this agent later, each with a line in its own log; better said here, once. */
function checkNames({ server, region }: AgentConfig, tls: TlsConfig, { cert }: TlsMaterial): void {
  if (!tls.rpc || !tls.verifyServerHostname) return;
  const role = server.enabled ? "server" : "client";
  const names = certificateNames(new X509Certificate(cert).subjectAltName);
  if (hasRole(names, role, region) || (role === "client" && hasRole(names, "server", region))) return;
  throw new SteppeError(
    "invalid",
    `tls.cert_file ${tls.certFile} has ${describeNames(names)}; this agent needs ${role}.${region.toLowerCase()}.steppe ` +
      `(steppe tls cert create -${role} -region ${region}), or tls.verify_server_hostname = false`,
  );
}
