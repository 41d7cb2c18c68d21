import type { Template } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { nested } from "../multi-error.ts";
import { escapesTask } from "./paths.ts";

export function validateTemplates(templates: readonly Template[]): string[] {
  const destinations = new Map<string, number>();
  return templates.flatMap((template, i) => {
    const errors = nested(`Template ${i + 1} validation failed: `, validateTemplate(template));
    const destination = template.DestPath ?? "";
    const other = destinations.get(destination);
    if (other === undefined) destinations.set(destination, i + 1);
    else errors.push(`Template ${i + 1} has same destination as ${other}`);
    return errors;
  });
}

function validateTemplate(template: Template): string[] {
  const errors: string[] = [];
  if (!template.SourcePath && !template.EmbeddedTmpl) {
    errors.push("Must specify a source path or have an embedded template");
  }
  if (!template.DestPath) errors.push("Must specify a destination for the template");
  if (escapesTask(template.DestPath ?? "")) errors.push("destination escapes allocation directory");
  errors.push(...changeMode(template));
  if ((template.Splay ?? 0) < 0) errors.push("Must specify positive splay value");
  errors.push(...permissions(template.Perms ?? ""), ...wait(template));
  return errors;
}

function changeMode(template: Template): string[] {
  const errors: string[] = [];
  switch (template.ChangeMode) {
    case "noop":
    case "restart":
      return [];
    case "signal":
      if (!template.ChangeSignal) errors.push("Must specify signal value when change mode is signal");
      if (template.Envvars) errors.push("cannot use signals with env var templates");
      return errors;
    case "script":
      if (template.ChangeScript === undefined)
        return ["Must specify change script configuration value when change mode is script"];
      return template.ChangeScript.Command === "" ? ["Must specify script path value when change mode is script"] : [];
    default:
      return ["Invalid change mode. Must be one of the following: noop, signal, script, restart"];
  }
}

/** At most twelve bits, in octal. */
function permissions(text: string): string[] {
  if (text === "" || (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) < 2 ** 12)) return [];
  const reason = /^[0-7]+$/.test(text) ? "value out of range" : "invalid syntax";
  return [`Failed to parse ${quote(text)} as octal: strconv.ParseUint: parsing ${quote(text)}: ${reason}`];
}

function wait(template: Template): string[] {
  const { Min, Max } = template.Wait ?? {};
  if (Min === undefined || Max === undefined || Min <= Max) return [];
  return [`wait min ${Min} is greater than max ${Max}`];
}
