import { CarryallError } from '@carryall/errors'
import type { LoadedSequence } from '@carryall/sequence'

/**
 * Refuses what its sender did not mean for this place and time: a sequence for other sites, where the site is told, and a
 * newest sequence that has expired; an older one is not used for itself. `sequences` by number. Pure. Throws
 * SEQ_WRONG_SITE, SEQ_EXPIRED (81).
 */
export function refuseUnfit(sequences: readonly LoadedSequence[], site: string | undefined, now: Date): void {
  for (const { metadata } of sequences) {
    if (site === undefined || metadata.site === undefined || metadata.site.includes(site)) continue
    throw new CarryallError(
      'SEQ_WRONG_SITE',
      `${metadata.name} is for ${metadata.site.join(', ')}, not for ${site}`,
      {
        subject: { kind: 'shipment', name: metadata.name },
        expected: site,
        actual: metadata.site.join(', '),
        hint: 'Push the sequence that was made for this site, or correct --site',
      },
    )
  }
  const newest = sequences.at(-1)?.metadata
  if (newest?.expires === undefined || new Date(newest.expires) > now) return
  throw new CarryallError('SEQ_EXPIRED', `${newest.name} was not to be used after ${newest.expires}`, {
    subject: { kind: 'shipment', name: newest.name },
    expected: newest.expires,
    actual: now.toISOString(),
    hint: 'Have a newer sequence carried; if the date here is wrong, correct the clock',
  })
}
