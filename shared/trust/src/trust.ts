import type { TrustPolicy } from '@carryall/schemas'

/** A pinned key, read and proven to be the one that the trust file names. */
export interface TrustedKey {
  /** Of the primary key: 40 or 64 upper-case hex digits. */
  readonly fingerprint: string
  /** The public key, binary: what gpgv takes as its keyring. */
  readonly keyring: Buffer
  /** Signatures made later do not count. */
  readonly notAfter?: Date
}

/** What a site believes: its trust file with the keys that it names. Made by `readTrust`. */
export interface Trust {
  /** Absolute path of the trust file. */
  readonly file: string
  /** Name of this site. */
  readonly site?: string
  readonly policy: TrustPolicy
  /** By fingerprint, in the order of the file. */
  readonly keys: ReadonlyMap<string, TrustedKey>
}

/** True if shipments of this chain are taken: the trust file names it, or names none. */
export function takesChain(trust: Trust, id: string): boolean {
  return trust.policy.chains?.some((chain) => chain.id === id) ?? true
}

/** How many different trusted keys have to sign a shipment of this chain; at least 1. */
export function thresholdFor(trust: Trust, chainId: string): number {
  const chain = trust.policy.chains?.find(({ id }) => id === chainId)
  return chain?.threshold ?? trust.policy.threshold ?? 1
}

/** Whose signatures count, and for what. */
export interface Purpose {
  /** Id of the chain that the signed shipment belongs to. */
  readonly chain?: string
  /** Name of the site whose receipt it is. */
  readonly site?: string
}

/**
 * The keys that count. For a receipt those of its site, none where the trust file does not name it. For a chain those that
 * it names; else all but the keys of sites, which sign receipts only.
 */
export function keysFor(trust: Trust, { chain, site }: Purpose): readonly TrustedKey[] {
  const { chains = [], sites = [] } = trust.policy
  const pick = (fingerprints: readonly string[]): readonly TrustedKey[] =>
    fingerprints.flatMap((fingerprint) => trust.keys.get(fingerprint) ?? [])
  if (site !== undefined) return pick(sites.find(({ name }) => name === site)?.keys ?? [])
  const named = chains.find(({ id }) => id === chain)?.keys
  if (named !== undefined) return pick(named)
  const ofSites = new Set(sites.flatMap(({ keys }) => keys))
  return [...trust.keys.values()].filter(({ fingerprint }) => !ofSites.has(fingerprint))
}
