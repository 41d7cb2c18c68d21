// Servers that answer what they should not.
import { type JobGetRequest, JobRegisterResponse } from "@steppe/proto";
import type { Implementations } from "@steppe/regions";
import type { Life } from "../kernel/life.ts";

type Jobs = NonNullable<Implementations["region"]>["jobs"];

function withJobs(real: Implementations, change: (jobs: Jobs) => Partial<Jobs>): Implementations {
  if (real.region === undefined) return real;
  const { jobs } = real.region;
  return { ...real, region: { ...real.region, jobs: { ...jobs, ...change(jobs) } } };
}

/** A consistent read is answered from the replica as it is. */
export function serveStale(real: Implementations): Implementations {
  return withJobs(real, (jobs) => ({
    get: (request: JobGetRequest, call) => {
      const { Query } = request;
      const stale = Query === undefined ? Query : { ...Query, Consistent: false, AllowStale: true };
      return jobs.get({ ...request, Query: stale }, call);
    },
  }));
}

/** A registration that takes its time is acknowledged before the log has it. */
export function acknowledgeEarly(real: Implementations, life: Life): Implementations {
  return withJobs(real, (jobs) => ({
    register: (request, call) =>
      Promise.race([
        jobs.register(request, call),
        life.clock.after(300).then(() => JobRegisterResponse.create({ JobModifyIndex: 0 })),
      ]),
  }));
}

/** Streams to nodes leave out one change in three. */
export function loseAssignments(real: Implementations): Implementations {
  const { nodeAgents } = real;
  if (nodeAgents === undefined) return real;
  return {
    ...real,
    nodeAgents: {
      ...nodeAgents,
      async *watchAllocations(request, call) {
        let n = 0;
        for await (const message of nodeAgents.watchAllocations(request, call)) {
          n += 1;
          if (message.Full || n % 3 !== 0) yield message;
        }
      },
    },
  };
}
