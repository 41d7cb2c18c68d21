import { constants, createHash, createPrivateKey, type KeyObject, privateDecrypt } from "node:crypto";
import type { HclFunction, Value } from "@steppe/jobspec";
import { formatId, parseId, type Random, SteppeError } from "@steppe/model";
import { encodeBase64, hashSync } from "bcryptjs";

/** The peer's cost when none is asked for. */
const BCRYPT_COST_DEFAULT = 10;
const BCRYPT_COST_MIN = 4;
// Each step doubles the work, and nothing else is done in this process meanwhile.
const BCRYPT_COST_MAX = 11;
/** Rounds that all calls of one job file may make together: two of the default cost. */
const BCRYPT_ROUNDS_MAX = 2 * 2 ** BCRYPT_COST_DEFAULT;

/** Functions of a job file that hash, decrypt or make ids. For one file: what `bcrypt` may cost is counted. */
export function cryptoFunctions(random: Pick<Random, "id" | "bytes">): [string, HclFunction][] {
  return [
    ...["md5", "sha1", "sha256", "sha512"].map((name): [string, HclFunction] => [name, hash(name)]),
    ["bcrypt", bcrypt(random)],
    ["rsadecrypt", rsaDecrypt],
    ["uuidv4", uuidv4(random)],
    ["uuidv5", uuidv5],
  ];
}

function refuse(message: string): never {
  throw new SteppeError("invalid", message);
}

/** Numbers and bools become strings, as everywhere in HCL. */
function text(value: Value | undefined): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : refuse("expected a string");
}

function takes(args: readonly Value[], least: number, most = least): void {
  if (args.length >= least && args.length <= most) return;
  refuse(`takes ${least === most ? least : `${least} to ${most}`} arguments, got ${args.length}`);
}

function hash(algorithm: string): HclFunction {
  return (args) => {
    takes(args, 1);
    return createHash(algorithm).update(text(args[0])).digest("hex");
  };
}

function bcrypt(random: Pick<Random, "bytes">): HclFunction {
  let rounds = 0;
  return (args) => {
    takes(args, 1, 2);
    const cost = args[1] ?? BCRYPT_COST_DEFAULT;
    if (typeof cost !== "number" || !Number.isInteger(cost) || cost < BCRYPT_COST_MIN || cost > BCRYPT_COST_MAX) {
      return refuse(`the cost must be a whole number from ${BCRYPT_COST_MIN} to ${BCRYPT_COST_MAX}`);
    }
    rounds += 2 ** cost;
    if (rounds > BCRYPT_ROUNDS_MAX) return refuse("too many calls in one file; hash before, and give the result");
    const password = text(args[0]);
    if (Buffer.byteLength(password) > 72) return refuse("bcrypt: password length exceeds 72 bytes");
    const salt = `$2b$${String(cost).padStart(2, "0")}$${encodeBase64([...random.bytes(16)], 16)}`;
    // Go's library writes `2a` for the same algorithm.
    return hashSync(password, salt).replace(/^\$2b/, "$2a");
  };
}

function rsaDecrypt(args: readonly Value[]): string {
  takes(args, 2);
  const [encrypted, pem] = args.map(text) as [string, string];
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encrypted)) {
    return refuse("failed to decode ciphertext: not valid base64");
  }
  const key = { key: privateKeyOf(pem), padding: constants.RSA_PKCS1_PADDING };
  try {
    // With another key OpenSSL gives random bytes rather than say so; they are hardly ever text.
    return new TextDecoder("utf-8", { fatal: true }).decode(privateDecrypt(key, Buffer.from(encrypted, "base64")));
  } catch (cause) {
    throw new SteppeError("invalid", "failed to decrypt: the key does not fit the ciphertext", { cause });
  }
}

function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new SteppeError("invalid", "failed to parse key: not a PEM-encoded RSA private key", { cause });
  }
}

function uuidv4(random: Pick<Random, "id">): HclFunction {
  return (args) => {
    takes(args, 0);
    return random.id();
  };
}

// RFC 9562, section 6.6.
const NAMESPACES: Readonly<Record<string, string>> = {
  dns: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  url: "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
  oid: "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
  x500: "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
};

/** The id of a name in a namespace, the same every time. */
function uuidv5(args: readonly Value[]): string {
  takes(args, 2);
  const [space, name] = args.map(text) as [string, string];
  const namespace = Object.hasOwn(NAMESPACES, space) ? (NAMESPACES[space] as string) : space;
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(namespace)) {
    return refuse(`the namespace is dns, url, oid, x500 or a UUID, not ${JSON.stringify(space)}`);
  }
  const digest = createHash("sha1").update(parseId(namespace)).update(name).digest().subarray(0, 16);
  digest[6] = ((digest[6] as number) & 0x0f) | 0x50;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  return formatId(digest);
}
