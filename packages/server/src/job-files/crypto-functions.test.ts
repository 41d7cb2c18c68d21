import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";
import type { HclFunction } from "@steppe/jobspec";
import { compareSync } from "bcryptjs";
import { describe, expect, test } from "vitest";
import { cryptoFunctions } from "./crypto-functions.ts";

const functions = () =>
  new Map<string, HclFunction>(
    cryptoFunctions({ id: () => "7d2b5c1e-0000-4000-8000-000000000000", bytes: (n) => new Uint8Array(n).fill(7) }),
  );
const call = (name: string, ...args: Parameters<HclFunction>[0]) => functions().get(name)?.(args);

describe("functions that hash and make ids", () => {
  test.each([
    ["md5", ["hello world"], "5eb63bbbe01eeed093cb22bb8f5acdc3"],
    ["sha1", ["hello world"], "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"],
    ["sha256", [1], "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"],
    ["uuidv4", [], "7d2b5c1e-0000-4000-8000-000000000000"],
    ["uuidv5", ["dns", "nomadproject.io"], "d2616d48-e1cb-5b87-8a8c-46355decc76a"],
    ["uuidv5", ["url", "https://nomadproject.io/"], "a1572394-3948-5251-b0c7-b4ded43587b4"],
    ["uuidv5", ["oid", "1.3.6.1.4"], "af9d40a5-7a36-5c07-b23a-851cd99fbfa5"],
    ["uuidv5", ["x500", "CN=Example,C=GB"], "84e09961-4aa4-57f8-95b7-03edb1073253"],
    [
      "uuidv5",
      ["743ac3c0-3bf7-4a5b-9e6c-59360447c757", "LIBS:diskfont.library"],
      "ede1a974-df7e-5f17-84b9-76208818b2c8",
    ],
  ])("%s of %j, is %s", (name, args, expected) => expect(call(name, ...args)).toBe(expected));

  test.each([
    ["md5", [], "takes 1 arguments, got 0"],
    ["md5", [null], "expected a string"],
    ["uuidv5", ["nope", "x"], 'the namespace is dns, url, oid, x500 or a UUID, not "nope"'],
    ["bcrypt", ["x", 12], "the cost must be a whole number from 4 to 11"],
    ["bcrypt", ["x".repeat(73)], "bcrypt: password length exceeds 72 bytes"],
  ])("%s of %j, is refused: %s", (name, args, text) => expect(() => call(name, ...args)).toThrow(text));
});

describe("bcrypt", () => {
  test("of a password, gives a hash in Go's form that the password fits", () => {
    const hash = String(call("bcrypt", "secret", 4));
    expect(hash).toMatch(/^\$2a\$04\$.{53}$/);
    expect([compareSync("secret", hash), compareSync("other", hash)]).toEqual([true, false]);
  });

  test("called more often than a file may, is refused before it costs anything", () => {
    const bcrypt = functions().get("bcrypt") as HclFunction;
    bcrypt(["a", 10]);
    bcrypt(["a", 10]);
    expect(() => bcrypt(["a", 4])).toThrow("too many calls in one file");
  });
});

describe("rsadecrypt", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const padding = constants.RSA_PKCS1_PADDING;
  const encrypted = publicEncrypt({ key: publicKey, padding }, Buffer.from("Hello, world!")).toString("base64");

  test("with the key of the ciphertext, gives the clear text", () => {
    expect(call("rsadecrypt", encrypted, pem)).toBe("Hello, world!");
  });

  test.each([
    ["not base64!", pem, "failed to decode ciphertext"],
    [encrypted, "no key", "failed to parse key"],
  ])("of %.12s with %.12s, is refused", (text, key, message) => {
    expect(() => call("rsadecrypt", text, key)).toThrow(message);
  });
});
