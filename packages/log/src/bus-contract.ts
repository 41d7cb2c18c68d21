import { describe, expect, test } from "vitest";
import { BusError, type RegionBus } from "./bus.ts";
import { PayloadTooLargeError } from "./log.ts";

/** A region's bus as several processes see it; the local bus has one process, so both are the same. */
export interface BusWorld {
  readonly here: RegionBus;
  readonly there: RegionBus;
  /** Resolves when what was subscribed is known to everyone, and what was published has arrived. */
  settled(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);
const ever = new AbortController().signal;

/** What every `RegionBus` must do. `createWorld` ends what it made by `onTestFinished`. */
export function describeBusContract(name: string, createWorld: () => Promise<BusWorld>): void {
  const failure = (code: BusError["code"]) => (error: unknown) => error instanceof BusError && error.code === code;

  describe(`bus contract: ${name}`, () => {
    test("publish: every subscriber of the subject hears it, later, and nobody else", async () => {
      const { here, there, settled } = await createWorld();
      const heard: string[] = [];
      here.subscribe("node.changed", (payload) => heard.push(`here ${text(payload)}`), ever);
      there.subscribe("node.changed", (payload) => heard.push(`there ${text(payload)}`), ever);
      there.subscribe("node", (payload) => heard.push(`other ${text(payload)}`), ever);
      await settled();

      here.publish("node.changed", bytes("a"));
      expect(heard).toEqual([]);
      await settled();
      expect(heard.sort()).toEqual(["here a", "there a"]);
    });

    test("publish: the payload is changed afterwards, what was published arrives", async () => {
      const { here, there, settled } = await createWorld();
      const heard: string[] = [];
      there.subscribe("s", (payload) => heard.push(text(payload)), ever);
      await settled();
      const payload = bytes("before");
      here.publish("s", payload);
      await settled();
      payload.set(bytes("after!"));
      expect(heard).toEqual(["before"]);
    });

    test("subscribe: the signal aborts, hears no more", async () => {
      const { here, there, settled } = await createWorld();
      const heard: string[] = [];
      const stop = new AbortController();
      there.subscribe("s", (payload) => heard.push(text(payload)), stop.signal);
      await settled();
      here.publish("s", bytes("1"));
      await settled();
      stop.abort();
      await settled();
      here.publish("s", bytes("2"));
      await settled();
      expect(heard).toEqual(["1"]);
    });

    test("subscribe: one subscriber throws, the others hear it", async () => {
      const { here, there, settled } = await createWorld();
      const heard: string[] = [];
      const broken = () => {
        throw new Error("broken subscriber");
      };
      there.subscribe("s", broken, ever);
      there.subscribe("s", (payload) => heard.push(text(payload)), ever);
      await settled();
      here.publish("s", bytes("1"));
      await settled();
      expect(heard).toEqual(["1"]);
    });

    test("request: is answered by whoever serves the subject", async () => {
      const { here, there, settled } = await createWorld();
      there.serve("echo", async (payload) => bytes(`echo ${text(payload)}`), ever);
      await settled();
      expect(text(await here.request("echo", bytes("hello"), 2000))).toBe("echo hello");
      expect(text(await there.request("echo", new Uint8Array(0), 2000))).toBe("echo ");
    });

    test("request: many at once, each gets its own answer", async () => {
      const { here, there, settled } = await createWorld();
      there.serve("echo", async (payload) => payload, ever);
      await settled();
      const questions = Array.from({ length: 100 }, (_, i) => `${i}`);
      const answers = await Promise.all(questions.map((question) => here.request("echo", bytes(question), 2000)));
      expect(answers.map(text)).toEqual(questions);
    });

    test("request: two serve the subject, one of them is asked", async () => {
      const { here, there, settled } = await createWorld();
      let asked = 0;
      for (const bus of [here, there]) {
        bus.serve(
          "count",
          async (payload) => {
            asked++;
            return payload;
          },
          ever,
        );
      }
      await settled();
      for (let i = 0; i < 10; i++) await here.request("count", bytes("x"), 2000);
      expect(asked).toBe(10);
    });

    test("request: nobody serves the subject, rejects at once", async () => {
      const { here } = await createWorld();
      const from = performance.now();
      await expect(here.request("nobody", bytes("x"), 10_000)).rejects.toSatisfy(failure("no-responders"));
      expect(performance.now() - from).toBeLessThan(5000);
    });

    test("request: the one who served it has stopped, nobody serves it", async () => {
      const { here, there, settled } = await createWorld();
      const stop = new AbortController();
      there.serve("s", async (payload) => payload, stop.signal);
      await settled();
      await here.request("s", bytes("x"), 2000);
      stop.abort();
      await settled();
      await expect(here.request("s", bytes("x"), 10_000)).rejects.toSatisfy(failure("no-responders"));
    });

    test("request: no answer in time, rejects with a timeout", async () => {
      const { here, there, settled } = await createWorld();
      there.serve("slow", () => new Promise(() => undefined), ever);
      await settled();
      await expect(here.request("slow", bytes("x"), 50)).rejects.toSatisfy(failure("timeout"));
    });

    test("request: the handler rejects, the caller is left to its timeout", async () => {
      const { here, there, settled } = await createWorld();
      there.serve("broken", () => Promise.reject(new Error("broken handler")), ever);
      await settled();
      await expect(here.request("broken", bytes("x"), 50)).rejects.toSatisfy(failure("timeout"));
    });

    test("request: the signal aborts, rejects with its reason", async () => {
      const { here, there, settled } = await createWorld();
      there.serve("slow", () => new Promise(() => undefined), ever);
      await settled();
      const stop = new AbortController();
      const request = here.request("slow", bytes("x"), 10_000, stop.signal);
      stop.abort(new Error("gone"));
      await expect(request).rejects.toThrow("gone");
      await expect(here.request("slow", bytes("x"), 10_000, stop.signal)).rejects.toThrow("gone");
    });

    test("close: requests under way and later ones reject, publishing does nothing", async () => {
      const { here, there, settled } = await createWorld();
      there.serve("slow", () => new Promise(() => undefined), ever);
      await settled();
      const request = here.request("slow", bytes("x"), 10_000);
      const end = expect(request).rejects.toSatisfy(failure("closed"));
      await here.close();
      await end;
      await expect(here.request("slow", bytes("x"), 10_000)).rejects.toSatisfy(failure("closed"));
      here.publish("slow", bytes("x"));
    });

    test("subjects: wildcards, blanks and empty words are refused", async () => {
      const { here } = await createWorld();
      for (const subject of ["", "a.*", "a.>", "a b", "a..b", ".a", "a."]) {
        expect(() => here.publish(subject, bytes("x"))).toThrow("not a subject of the bus");
        expect(() => here.subscribe(subject, () => undefined, ever)).toThrow("not a subject of the bus");
        await expect(here.request(subject, bytes("x"), 100)).rejects.toThrow("not a subject of the bus");
      }
    });

    test("payload: larger than a message may be, is refused", async () => {
      const { here } = await createWorld();
      const large = new Uint8Array(9 * 1024 * 1024);
      expect(() => here.publish("s", large)).toThrow(PayloadTooLargeError);
      await expect(here.request("s", large, 100)).rejects.toBeInstanceOf(PayloadTooLargeError);
    });

    test("subscribe: with a signal that has aborted, hears nothing", async () => {
      const { here, there, settled } = await createWorld();
      const heard: string[] = [];
      there.subscribe("s", (payload) => heard.push(text(payload)), AbortSignal.abort());
      await settled();
      here.publish("s", bytes("1"));
      await settled();
      expect(heard).toEqual([]);
    });
  });
}
