import type { Task, WorkloadIdentity } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { nested } from "../multi-error.ts";

const NAME = /^[A-Za-z0-9_.-]{1,128}$/;

export function validateIdentities(task: Task): string[] {
  const seen = new Set<string>();
  const all = task.Identity === undefined ? task.Identities : [task.Identity, ...task.Identities];
  return all.flatMap((identity) => {
    const errors = nested(`Identity ${quote(identity.Name)} is invalid: `, validateIdentity(identity));
    if (seen.has(identity.Name)) errors.push(`Identities must be unique but found duplicate: ${quote(identity.Name)}`);
    seen.add(identity.Name);
    return errors;
  });
}

function validateIdentity(identity: WorkloadIdentity): string[] {
  const errors: string[] = [];
  if (!NAME.test(identity.Name)) errors.push(`invalid name ${quote(identity.Name)}. Must match regex ${NAME.source}`);
  if (identity.Audience.includes("")) errors.push("an empty string is an invalid audience");
  if (!["", "noop", "signal", "restart"].includes(identity.ChangeMode)) {
    errors.push(`invalid change_mode: ${identity.ChangeMode}`);
  }
  if (identity.ChangeMode === "signal" && identity.ChangeSignal === "") {
    errors.push(`change_signal must be specified when change_mode = "signal"`);
  }
  if (identity.TTL < 0) errors.push("ttl must be >= 0");
  return errors;
}
