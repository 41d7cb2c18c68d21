/** What a process shows to others, and whose signature it trusts. PEM. */
export interface TlsMaterial {
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface TlsSettings {
  /** Certificates must name the right role and region; false: any that the authority signed will do. Default true. */
  readonly verifyNames?: boolean;
  /** Default TLSv1.2. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
}

/**
 * Mutual TLS of one process. New connections use the newest material, so that certificates can be
 * replaced while it runs; those that are open stay.
 */
export class TlsIdentity {
  readonly verifyNames: boolean;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  #material: TlsMaterial;
  #listeners = new Set<(material: TlsMaterial) => void>();

  constructor(material: TlsMaterial, { verifyNames = true, minVersion = "TLSv1.2" }: TlsSettings = {}) {
    this.#material = material;
    this.verifyNames = verifyNames;
    this.minVersion = minVersion;
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  replace(material: TlsMaterial): void {
    this.#material = material;
    for (const listener of this.#listeners) listener(material);
  }

  onReplace(listener: (material: TlsMaterial) => void): void {
    this.#listeners.add(listener);
  }
}
