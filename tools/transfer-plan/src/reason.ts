import { formatBytes } from '@carryall/cli'

export interface ReasonInput {
  readonly isTarget: boolean
  readonly isCarried: boolean
  /** What others that are carried take from it; names of these. */
  readonly use:
    | {
        readonly blobs: number
        readonly bytes: number
        readonly users: readonly string[]
        readonly only: boolean
      }
    | undefined
  readonly site: string | undefined
}

/** Why a shipment crosses, or why only its metadata does: one line for people. Pure. */
export function reasonFor({ isTarget, isCarried, use, site }: ReasonInput): string {
  if (!isCarried) return 'None of its content is needed: its metadata alone crosses, as a link of the chain'
  if (isTarget || use === undefined) return `What is to be complete at ${site ?? 'the site'}`
  const users = use.users.length === 1 ? use.users[0]! : `${use.users.length} others`
  const need = use.users.length === 1 ? 'needs' : 'need'
  if (use.blobs === 0) return `Declared by ${users} as what it depends on`
  const what = `${use.blobs} ${use.blobs === 1 ? 'blob' : 'blobs'} (${formatBytes(use.bytes)}) that ${users} ${need}`
  return use.only ? `Only holder of ${what}` : `Part of the fewest bytes that bring ${what}`
}
