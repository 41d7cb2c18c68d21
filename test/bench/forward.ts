// A read of another region through this one, against the same read of the region itself.
import { mockTaskJob } from "../kit/jobs.ts";
import { cpuMs } from "./live/processes.ts";
import { addRegion, firstServer, regionOn } from "./live/region.ts";
import { Requests } from "./live/requests.ts";
import { ROUNDS, rounds, SECONDS } from "./live/rounds.ts";
import { needWrk, wrk } from "./live/wrk.ts";
import type { Scenario, Table } from "./scenario.ts";

export const forward: Scenario = {
  name: "forward",
  summary: "GET of a job of another region, by one pair of servers, and what that adds",
  async run() {
    needWrk();
    await using live = await regionOn("embedded");
    const other = firstServer(await addRegion(live.cluster, "other", "embedded"));
    const { server } = live;
    const requests = new Requests();
    await requests.put(`${other.http}/v1/jobs`, { Job: mockTaskJob("web", { count: 0 }) });
    // The regions have to hear of each other first.
    while (!(await requests.get<string[]>(`${server.http}/v1/regions`)).includes("other")) await pause(100);
    requests.close();
    const rows: Table["rows"] = [];
    for (const concurrency of [1, 32]) {
      const direct = `${other.http}/v1/job/web`;
      const forwarded = `${server.http}/v1/job/web?region=other`;
      for (const url of [direct, forwarded]) await wrk({ url, concurrency, seconds: 2 });
      // In turn, so that the machine is the same for both.
      const { directS, forwardedS, directP50, forwardedP50, added, p99, here, there } = await rounds(
        ROUNDS,
        async () => {
          const a = await wrk({ url: direct, concurrency, seconds: SECONDS });
          const before = [cpuMs([server.pid]), cpuMs([other.pid])] as const;
          const b = await wrk({ url: forwarded, concurrency, seconds: SECONDS });
          return {
            ...{ directS: a.perSecond, forwardedS: b.perSecond, directP50: a.p50Ms, forwardedP50: b.p50Ms },
            ...{ added: b.p50Ms - a.p50Ms, p99: b.p99Ms },
            here: ((cpuMs([server.pid]) - before[0]) * 1e3) / b.requests,
            there: ((cpuMs([other.pid]) - before[1]) * 1e3) / b.requests,
          };
        },
      );
      rows.push([String(concurrency), directS, directP50, forwardedS, forwardedP50, added, p99, here, there]);
    }
    return [
      {
        title: "GET of a job with ?region=",
        columns: [
          ...["at once", "direct/s", "direct p50 ms", "forwarded/s", "forwarded p50 ms", "added p50 ms"],
          ...["forwarded p99 ms", "CPU µs each, first server", "CPU µs each, second"],
        ],
        rows,
      },
    ];
  },
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
