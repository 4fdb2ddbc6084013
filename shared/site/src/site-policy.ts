import { takesChain, thresholdFor, type Trust } from '@carryall/trust'
import type { SitePolicy } from './judgement.ts'

/** What a trust file, or its absence, demands of one chain. The site is the one given, else the trust file's. */
export function sitePolicy(
  trust: Trust | undefined,
  chainId: string,
  options: Pick<SitePolicy, 'now' | 'allowExpired' | 'acceptStateReset'> & {
    readonly site?: string | undefined
  },
): SitePolicy {
  const { now, allowExpired, acceptStateReset } = options
  const site = options.site ?? trust?.site
  return {
    takesChain: (id) => trust === undefined || takesChain(trust, id),
    threshold: trust === undefined ? undefined : thresholdFor(trust, chainId),
    ...(site === undefined ? {} : { site }),
    now,
    allowExpired,
    acceptStateReset,
  }
}
