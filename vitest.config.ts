import { findNatsServer } from "@steppe/log/internal";
import { defineConfig } from "vitest/config";

/** Where nats-server cannot be had, the rest is tested. */
const withoutNats = findNatsServer() === undefined ? ["packages/log/**", "test/cluster/**"] : [];
if (withoutNats.length > 0) {
  process.stderr.write(
    "nats-server was not found: tests that need it are left out (npm run setup tells how to get it)\n",
  );
}

// unit: in one process, no ports but loopback ones, seconds. sim: many seeds of the simulator, minutes. cluster: real
// nats-server, real processes. One after the other: each has use for all cores.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          sequence: { groupOrder: 0 },
          isolate: false,
          // For a machine that does ten other things: nothing here waits for time to pass.
          testTimeout: 60_000,
          include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/*.cluster.test.ts", "**/*.docker.test.ts", "**/*.sim.test.ts", "**/node_modules/**"],
        },
      },
      {
        test: {
          name: "sim",
          sequence: { groupOrder: 2 },
          include: ["packages/sim/src/**/*.sim.test.ts"],
          testTimeout: 1_200_000,
        },
      },
      {
        test: {
          name: "cluster",
          sequence: { groupOrder: 1 },
          include: ["packages/*/src/**/*.cluster.test.ts", "test/**/*.cluster.test.ts"],
          exclude: ["**/node_modules/**", ...withoutNats],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
