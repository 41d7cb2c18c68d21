import { defineConfig } from "vitest/config";

// Apart from the others: it needs a Docker engine (scripts/docker-engine.sh finds or starts one) and minutes.
export default defineConfig({
  test: {
    name: "docker",
    include: ["test/docker/**/*.docker.test.ts"],
    testTimeout: 600_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
