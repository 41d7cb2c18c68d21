import { expect } from "vitest";

/** Values that vary from run to run. */
export const a = {
  text: expect.any(String),
  number: expect.any(Number),
  bool: expect.any(Boolean),
  list: expect.any(Array),
  uuid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  /** `host:port` or `[v6]:port`. */
  address: expect.stringMatching(/^(\[[0-9a-f:]+\]|[\w.-]+):\d+$/),
};

const POSITIVE = /^[1-9]\d*$/;

/** Of every read, found or not. */
export const READ_HEADERS = {
  "x-nomad-index": POSITIVE,
  "x-nomad-lastcontact": /^\d+$/,
  "x-nomad-knownleader": "true",
};

/** Of every write. */
export const WRITE_HEADERS = { "x-nomad-index": POSITIVE, "x-nomad-lastcontact": null };

export const JSON_BODY = { "content-type": "application/json" };
export const TEXT_BODY = { "content-type": "text/plain; charset=utf-8" };
