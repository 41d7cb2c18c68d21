// What a certificate says its owner is. Pure.
//
// A DNS name `<role>.<region>.steppe` among the subject's alternative names gives the role; a
// certificate may carry several (an agent that is server and client at once). Certificates made for
// Nomad end in `.nomad` instead and count the same.

export type Role = "server" | "client" | "worker";

export interface CertificateName {
  readonly role: Role;
  readonly region: string;
}

const NAME = /^(server|client|worker)\.([a-z0-9][a-z0-9_.-]*)\.(?:steppe|nomad)$/;

/** `subjectAltName` as Node tells it: `DNS:server.eu.steppe, DNS:localhost, IP Address:127.0.0.1`. */
export function certificateNames(subjectAltName: string | undefined): CertificateName[] {
  return (subjectAltName ?? "").split(", ").flatMap((entry) => {
    // What Node had to quote holds a comma or worse, and is no name of ours.
    const found = entry.startsWith("DNS:") ? NAME.exec(entry.slice(4).toLowerCase()) : null;
    return found === null ? [] : [{ role: found[1] as Role, region: found[2] as string }];
  });
}

/** `region` undefined: of any region. DNS names know no upper case, so regions are compared without. */
export function hasRole(names: readonly CertificateName[], role: Role, region?: string): boolean {
  return names.some((name) => name.role === role && (region === undefined || name.region === region.toLowerCase()));
}

export function describeNames(names: readonly CertificateName[]): string {
  if (names.length === 0) return "no name of the form server.REGION.steppe";
  return names.map(({ role, region }) => `${role}.${region}.steppe`).join(", ");
}
