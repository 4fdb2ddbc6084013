import { CarryallError } from '@carryall/errors'
import type { TrustPolicy } from '@carryall/schemas'

/**
 * What the schema alone cannot tell about a trust file: everything named is pinned and named once, a key is endorsed by one
 * before it, and enough keys are there for each threshold. Throws CONFIG_INVALID with pointer. Pure.
 */
export function checkPolicy(policy: TrustPolicy, file: string): void {
  const { keys, chains = [], sites = [], threshold = 1 } = policy
  const pinned = keys.map(({ fingerprint }) => fingerprint)
  const refuse = (pointer: string, why: string): never => {
    throw new CarryallError('CONFIG_INVALID', `${file} is not valid: ${pointer}: ${why}`, {
      pointer,
      location: { file },
    })
  }
  const once = (pointer: string, names: readonly string[]): void => {
    const again = names.findIndex((name, index) => names.indexOf(name) < index)
    if (again >= 0) refuse(`${pointer}/${again}`, `"${names[again]}" is named twice`)
  }
  const known = (pointer: string, fingerprints: readonly string[]): void => {
    once(pointer, fingerprints)
    const missing = fingerprints.findIndex((fingerprint) => !pinned.includes(fingerprint))
    if (missing >= 0) refuse(`${pointer}/${missing}`, `key ${fingerprints[missing]} is not in "keys"`)
  }

  once('#/keys', pinned)
  keys.forEach(({ endorsed_by }, index) => {
    if (endorsed_by !== undefined && !pinned.slice(0, index).includes(endorsed_by.fingerprint))
      refuse(
        `#/keys/${index}/endorsed_by/fingerprint`,
        `key ${endorsed_by.fingerprint} is not before it in "keys"`,
      )
  })
  once(
    '#/chains',
    chains.map(({ id }) => id),
  )
  once(
    '#/sites',
    sites.map(({ name }) => name),
  )
  sites.forEach((site, index) => known(`#/sites/${index}/keys`, site.keys))

  const ofSites = new Set(sites.flatMap((site) => site.keys))
  const general = pinned.filter((fingerprint) => !ofSites.has(fingerprint)).length
  const enough = (pointer: string, wanted: number, count: number): void => {
    if (wanted > count) refuse(pointer, `${wanted} keys have to sign, and ${count} count`)
  }
  if (policy.threshold !== undefined) enough('#/threshold', threshold, general)
  chains.forEach((chain, index) => {
    if (chain.keys !== undefined) known(`#/chains/${index}/keys`, chain.keys)
    enough(`#/chains/${index}`, chain.threshold ?? threshold, chain.keys?.length ?? general)
  })
}
