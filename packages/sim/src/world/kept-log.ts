import type { ReplicatedLog } from "@steppe/log";

type Deliver = Parameters<ReplicatedLog["tail"]>[1];

/** The log as a replica reads it; `told` is called with the last index of each delivery once that is applied and kept. */
export function keptLog(real: ReplicatedLog, told: (index: number) => void): ReplicatedLog {
  const watched =
    (deliver: Deliver): Deliver =>
    (records, kept) => {
      const tell = () => told(records.at(-1)?.index ?? 0);
      if (kept !== undefined) {
        kept.then(tell, () => undefined);
        return deliver(records, kept);
      }
      const busy = deliver(records);
      if (busy !== undefined) return busy.then(tell);
      tell();
    };
  return new Proxy(real, {
    get(log, name) {
      if (name === "tail") {
        const tail: ReplicatedLog["tail"] = (after, deliver, ...rest) => log.tail(after, watched(deliver), ...rest);
        return tail;
      }
      const value: unknown = Reflect.get(log, name, log);
      return typeof value === "function" ? value.bind(log) : value;
    },
  });
}
