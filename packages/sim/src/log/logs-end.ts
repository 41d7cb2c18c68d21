import type { RegionLogs } from "@steppe/log";
import { markOf } from "@steppe/log/internal";
import { type LogRequests, REQUEST_TIMEOUT_MS } from "./requests.ts";
import { snapshotsOf } from "./snapshots.ts";

/** A process's end of all logs of its region, over the simulated network. */
export function openLogsEnd(requests: LogRequests): RegionLogs {
  const { store } = requests;
  const tell = <T>(read: () => T) => requests.tell(read, undefined, REQUEST_TIMEOUT_MS);
  return {
    list: () =>
      tell(() =>
        store.streams.map((stream) => {
          const { identity, sealed, firstIndex: first } = stream;
          return { identity, first, last: store.lastTold(stream), sealed };
        }),
      ),
    markAt: (log, index) =>
      tell(() => {
        const record = store.find(log)?.at(index);
        return record && markOf(record);
      }),
    create: (identity) => tell(() => store.create(identity)),
    seal: (log) => tell(() => store.seal(log)),
    snapshots: (log) => snapshotsOf(requests, log),
    close: () => requests.close(),
  };
}
