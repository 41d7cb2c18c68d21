import { API_VERSION, STEPPE_VERSION } from "@steppe/server/version";

export const usage =
  "Usage: steppe version\n\n  Prints the version of Steppe, of the Nomad API it speaks and of its Node.";

export async function run(): Promise<number> {
  process.stdout.write(`Steppe v${STEPPE_VERSION}\nNomad API v${API_VERSION}\nNode ${process.version}\n`);
  return 0;
}
