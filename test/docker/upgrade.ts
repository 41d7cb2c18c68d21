// npm run test:upgrade.
//
// A rolling upgrade under load: three regions of images built from COMMIT, whose servers, workers and node agents
// are replaced one by one by those of this checkout. In clear text, since older versions know no TLS.
import { execFileSync, spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { DockerCluster as Docker, type DockerCluster, REGIONS, type Region } from "./cluster.ts";
import { buildImages, findEngine, ROOT } from "./engine.ts";
import { describeOutcome, runScenario } from "./run-scenario.ts";
import { type Scenario, serves } from "./scenarios.ts";
import { sharedIndexes } from "./shared-index.ts";

const HELP = `Usage: npm run test:upgrade -- [options]

Upgrades regions under load, container by container, from images of a commit to images of this checkout.
Exits with 1 when a checker objects.

Options:
  --from COMMIT      what to begin with (default c6656a3)
  --region NAME      upgrade this one alone
  --shape usual|ha   how many of each part a region has (default usual)
  --keep             take the images that are there
  --help             this text
`;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
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

if (values.help) {
  process.stdout.write(HELP);
  process.exit();
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
  const { shared, explained } = sharedIndexes(outcome.history);
  if (shared.length > 0) {
    const at = shared.map((it) => `${((it.at - outcome.moments.fault) / 1000).toFixed(1)} s`);
    process.stdout.write(
      `   ${shared.length} times registrations of one job were told one index, at ${at.join(", ")}: ${JSON.stringify(shared[0])}\n` +
        `   with that allowed, as versions before 0227e0e did, the history is ${explained ? "linearizable" : "not linearizable either"}\n`,
    );
  }
  // Of versions from 0227e0e on nothing is excused.
  const excused = explained && outcome.figures.objections.length === 1 && sharesIndexes(values.from);
  if (outcome.figures.objections.length > 0 && !excused) process.exitCode = 1;
}

/** Whether that commit is older than the one that gave each registration an entry of its own. */
function sharesIndexes(commit: string): boolean {
  const { status } = spawnSync("git", ["-C", ROOT, "merge-base", "--is-ancestor", "0227e0e", commit]);
  return status === 1;
}
