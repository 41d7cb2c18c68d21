// npm run test:upgrade -- --from COMMIT [--region us] [--shape usual|ha] [--keep]
//
// A rolling upgrade under load: three regions of images built from COMMIT, whose servers, workers and node agents
// are replaced one by one by those of this checkout. In clear text, since older versions know no TLS.
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { DockerCluster as Docker, type DockerCluster, REGIONS, type Region } from "./cluster.ts";
import { buildImages, findEngine, ROOT } from "./engine.ts";
import { describeOutcome, runScenario } from "./run-scenario.ts";
import { type Scenario, serves } from "./scenarios.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "c6656a3" },
    shape: { type: "string", default: "usual" },
    /** Upgrades this one alone. */
    region: { type: "string", default: "" },
    /** Takes the images that are there. */
    keep: { type: "boolean", default: false },
  },
});

function upgradeTo(image: string): Scenario {
  return {
    name: `rolling upgrade from ${values.from}`,
    holdMs: 3_000,
    targets: [],
    async inject(cluster: DockerCluster, region: Region) {
      for (const role of ["server", "worker", "client"] as const) {
        for (const service of cluster.names(region, role)) {
          await cluster.upgrade(service, image);
          if (role === "server") await serves(cluster, service);
        }
      }
      return {
        what: `replaced the servers, workers and node agents of ${region}, one by one`,
        heal: async () => undefined,
      };
    },
  };
}

process.env.DOCKER_HOST = findEngine();
if (!values.keep) {
  buildImages("dev", true);
  execFileSync("sh", [`${ROOT}/deploy/local-base/previous.sh`, values.from], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
await using cluster = await Docker.up({
  image: "steppe:previous",
  tls: false,
  shape: values.shape === "ha" ? "ha" : "usual",
});
for (const region of REGIONS.filter((it) => values.region === "" || it === values.region)) {
  // Versions to upgrade from may know no dispatches.
  const outcome = await runScenario(cluster, upgradeTo("steppe:dev"), region, { dispatches: false });
  process.stdout.write(describeOutcome(outcome));
  if (outcome.figures.objections.length > 0) process.exitCode = 1;
}
