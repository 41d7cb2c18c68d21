// A certificate authority of one's own, and certificates signed by it: what a cluster needs for
// mutual TLS. ECDSA on P-256, as `nomad tls` makes them; PEM in and out.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

type CryptoKey = webcrypto.CryptoKey;

const crypto = webcrypto as unknown as Crypto;
const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
/** Machines' clocks differ a little; a certificate made just now must hold on all of them. */
const BACKDATED_MS = 60_000;
const SERIAL_BYTES = 16;

export interface SignedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface SignRequest {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly days: number;
}

export interface Authority {
  /** PEM: its certificate, by which what it signed is checked. */
  readonly cert: string;
  /** PEM (PKCS #8). Whoever has it can be anybody. */
  readonly key: string;
  /** A new key and its certificate, good for both ends of a connection. */
  sign(request: SignRequest): Promise<SignedCertificate>;
}

export async function createAuthority(commonName: string, days: number): Promise<Authority> {
  const keys = await newKeys();
  const cert = await X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [commonName] }],
      keys,
      ...validity(days),
      serialNumber: serialNumber(),
      signingAlgorithm: SIGNATURE,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(
          KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
          true,
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  return authority(cert, keys.privateKey);
}

/** From PEM, as `createAuthority` gave it. Rejects when the two do not belong together. */
export async function openAuthority(certPem: string, keyPem: string): Promise<Authority> {
  const cert = new X509Certificate(certPem);
  const key = await crypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(keyPem), KEY, true, ["sign"]);
  const made = await authority(cert, key);
  const probe = new X509Certificate(
    (await made.sign({ commonName: "probe", dnsNames: [], ipAddresses: [], days: 1 })).cert,
  );
  const publicKey = await cert.publicKey.export(crypto);
  if (!(await probe.verify({ publicKey, signatureOnly: true }, crypto))) {
    throw new Error("the authority's key is not that of its certificate");
  }
  return made;
}

async function authority(issuer: X509Certificate, signingKey: CryptoKey): Promise<Authority> {
  return {
    cert: `${issuer.toString("pem")}\n`,
    key: await pemOf(signingKey),
    async sign({ commonName, dnsNames, ipAddresses, days }) {
      const keys = await newKeys();
      const cert = await X509CertificateGenerator.create(
        {
          subject: [{ CN: [commonName] }],
          issuer: issuer.subject,
          publicKey: keys.publicKey,
          signingKey,
          ...validity(days),
          serialNumber: serialNumber(),
          signingAlgorithm: SIGNATURE,
          extensions: await leafExtensions(issuer, keys.publicKey, dnsNames, ipAddresses),
        },
        crypto,
      );
      return { cert: `${cert.toString("pem")}\n`, key: await pemOf(keys.privateKey) };
    },
  };
}

async function leafExtensions(
  issuer: X509Certificate,
  publicKey: CryptoKey,
  dnsNames: readonly string[],
  ipAddresses: readonly string[],
): Promise<Extension[]> {
  const names: JsonGeneralName[] = [
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
  ];
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
    // Every server calls others, too.
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    await SubjectKeyIdentifierExtension.create(publicKey, false, crypto),
    await AuthorityKeyIdentifierExtension.create(issuer, false, crypto),
    ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
  ];
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
}

function validity(days: number) {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + days * DAY_MS) };
}

function serialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(SERIAL_BYTES)));
  // Positive, and without leading zeros.
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

async function pemOf(key: CryptoKey): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}
