import type { Vault } from "@steppe/proto";
import { quote } from "../go-text.ts";

export function validateVault(vault: Vault): string[] {
  const errors: string[] = [];
  if (vault.Policies.includes("root")) errors.push('Can not specify "root" policy');
  if (vault.ChangeMode === "signal" && !vault.ChangeSignal) {
    errors.push('Signal must be specified when using change mode "signal"');
  }
  if (!["signal", "noop", "restart"].includes(vault.ChangeMode ?? "")) {
    errors.push(`Unknown change mode ${quote(vault.ChangeMode ?? "")}`);
  }
  return errors;
}
