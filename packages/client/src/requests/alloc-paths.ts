import { realpathSync } from "node:fs";
import { join, normalize, relative, sep } from "node:path";
import { SteppeError } from "@steppe/model";

/**
 * The file that a path means inside an allocation's directory. Nothing outside is reached, neither by `..` nor through a
 * link, nor is what the tasks keep secret. Throws in the API's words.
 */
export function resolveInside(root: string, path: string): string {
  const inside = normalize(`./${path}`);
  if (inside === ".." || inside.startsWith(`..${sep}`)) throw escapes();
  const full = join(root, inside);
  refuseSecrets(inside, path);
  const real = realpathOf(full);
  if (real === undefined) return full;
  const realInside = relative(realpathSync(root), real);
  if (realInside === ".." || realInside.startsWith(`..${sep}`)) throw escapes();
  refuseSecrets(realInside, path);
  return full;
}

function escapes(): SteppeError {
  return new SteppeError("invalid", "Path escapes the alloc directory");
}

/** `<task>/secrets` and `<task>/private`, and what this agent keeps for itself. */
function refuseSecrets(inside: string, asked: string): void {
  const [first = "", second = ""] = inside.split(sep);
  const isSecret = (second === "secrets" || second === "private") && first !== "alloc";
  if (isSecret || first === ".supervisor") {
    throw new SteppeError("invalid", `Reading secret file prohibited: ${asked}`);
  }
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    // What does not exist is told by whoever reads it.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new SteppeError("refused", `${path}: ${(error as Error).message}`, { cause: error });
  }
}
