import { CarryallError } from '@carryall/errors'
import type { Provable } from './ports.ts'

/** A layout or an archive that is not there yet. */
export function emptySource(): Provable {
  return {
    head: async () => undefined,
    manifest: async (repository, reference) => {
      throw new CarryallError('REG_MANIFEST_UNKNOWN', `There is no ${repository} ${reference}`)
    },
    blob: (_repository, { digest }) => ({
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new CarryallError('REG_BLOB_UNKNOWN', `There is no blob ${digest}`)),
      }),
    }),
    referrers: async () => [],
    hasBlob: async () => false,
    async *tags() {},
    async *repositories() {},
  }
}
