import { toText } from "../value.ts";
import { type FunctionTable, taking } from "./function.ts";

/** Paths as texts: nothing is looked at. */
export const PATH_FUNCTIONS: FunctionTable = {
  basename: taking(1, 1, (path = null) => {
    const text = toText(path);
    if (text === "") return ".";
    return text.replace(/\/+$/, "").replace(/^.*\//, "") || "/";
  }),
  dirname: taking(1, 1, (path = null) => {
    const text = toText(path);
    const folder = text.includes("/") ? text.replace(/[^/]*$/, "") : "";
    return cleaned(folder);
  }),
};

/** Without `.`, `..` that can be followed, and doubled or trailing slashes. */
function cleaned(path: string): string {
  const rooted = path.startsWith("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push(part);
  }
  return (rooted ? "/" : "") + kept.join("/") || ".";
}
