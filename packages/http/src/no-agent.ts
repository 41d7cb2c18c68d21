import type { AgentInformation } from "./needs.ts";

/** An agent that has nothing to tell, for tests. */
export const NO_AGENT: AgentInformation = {
  self: () => ({}),
  health: () => ({}),
  metrics: () => ({
    Timestamp: "",
    Gauges: [],
    Table: { Names: [], Rows: [] },
    Points: [],
    Counters: [],
    Samples: [],
  }),
};
