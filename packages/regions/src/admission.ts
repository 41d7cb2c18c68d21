// Who may call what, by the names in the caller's certificate. Pure.
import { SteppeError } from "@steppe/model";
import { type CertificateName, describeNames, hasRole } from "./certificate-names.ts";

/** The groups of services of a server. */
export type ServiceGroup = "region" | "membership" | "nodeAgents";

interface Rule {
  allows(names: readonly CertificateName[], region: string): boolean;
  wanted(region: string): string;
}

const RULES: Readonly<Record<ServiceGroup, Rule>> = {
  // Servers of all regions forward requests; agents that are no servers pass on those they get.
  region: {
    allows: (names, region) => hasRole(names, "server") || hasRole(names, "client", region),
    wanted: (region) => `a certificate for server.REGION.steppe or client.${region}.steppe`,
  },
  membership: {
    allows: (names) => hasRole(names, "server"),
    wanted: () => "a certificate for server.REGION.steppe",
  },
  nodeAgents: {
    allows: (names, region) => hasRole(names, "client", region) || hasRole(names, "server", region),
    wanted: (region) => `a certificate for client.${region}.steppe`,
  },
};

/** What is wrong with this caller calling this group of a server of `region`; undefined: nothing. */
export function refusal(
  group: ServiceGroup,
  names: readonly CertificateName[],
  region: string,
): SteppeError | undefined {
  const rule = RULES[group];
  if (rule.allows(names, region)) return undefined;
  return new SteppeError(
    "permission-denied",
    `this call needs ${rule.wanted(region)}; the caller's has ${describeNames(names)}`,
  );
}

/** What is wrong with the certificate of a server that was dialled; undefined: nothing. */
export function serverRefusal(names: readonly CertificateName[], region: string | undefined): Error | undefined {
  if (hasRole(names, "server", region)) return undefined;
  const wanted = `server.${region ?? "REGION"}.steppe`;
  return new Error(`the server's certificate has ${describeNames(names)}, not ${wanted}`);
}
