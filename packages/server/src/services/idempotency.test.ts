import { toJson } from "@steppe/model";
import { mockJob } from "@steppe/model/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "../testing/http-region.ts";

let region: HttpRegion;

beforeEach(async () => {
  region = await openHttpRegion();
});

afterEach(() => region.close());

const job = (count: number) => {
  const made = mockJob({ ID: "web" });
  for (const group of made.TaskGroups) group.Count = count;
  return { Job: JSON.parse(toJson("Job", made)) as object };
};
const send = (key: string, body: object, query = "", method: "PUT" | "POST" = "PUT") =>
  region.call(method, `/v1/jobs${query}`, body, { "idempotency-key": key });

const REUSED = "Idempotency-Key was used before with another request; give each request a key of its own";

describe("Idempotency-Key", () => {
  test("the same request again, by another way: the first answer, and nothing more is done", async () => {
    const first = await send("k", job(1));
    expect(first.status).toBe(200);
    expect((await send("k", job(1))).json).toEqual(first.json);
    expect((await send("k", job(1), "?region=global", "POST")).json).toEqual(first.json);
    expect((await region.call("GET", "/v1/evaluations")).json).toHaveLength(1);
  });

  test("the key with another body, path, parameter or method: 422, and nothing is done", async () => {
    await send("k", job(1));
    const headers = { "idempotency-key": "k" };
    const others = [
      send("k", job(2)),
      send("k", job(1), "?namespace=default"),
      region.call("PUT", "/v1/job/web", job(1), headers),
      region.call("PUT", "/v1/job/web/evaluate", undefined, headers),
      region.call("DELETE", "/v1/job/web", undefined, headers),
    ];
    for (const answer of await Promise.all(others)) expect([answer.status, answer.text]).toEqual([422, REUSED]);
    const { json } = await region.call("GET", "/v1/job/web");
    expect(json).toMatchObject({ Version: 0, Stop: false });
  });

  test("two different requests of one key at once: one is done, the other refused", async () => {
    const answers = await Promise.all([send("k", job(1)), send("k", job(2))]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
  });

  test("a refusal: is the answer to a repeat too", async () => {
    const wrong = { ...job(1), EnforceIndex: true, JobModifyIndex: 7 };
    const first = await send("k", wrong);
    expect(first.text).toBe("Enforcing job modify index 7: job does not exist");
    await send("other", job(1));
    expect((await send("k", wrong)).text).toBe(first.text);
  });
});
