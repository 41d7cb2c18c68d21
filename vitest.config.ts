import { defineConfig } from "vitest/config";

// unit: in one process, no ports but loopback ones, seconds. cluster: real nats-server, real processes.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/*.cluster.test.ts", "**/node_modules/**"],
        },
      },
      {
        test: {
          name: "cluster",
          include: ["packages/*/src/**/*.cluster.test.ts", "test/**/*.cluster.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
