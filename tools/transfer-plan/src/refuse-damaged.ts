import type { Context } from '@carryall/cli'
import { CarryallError, CODES, Exit, type ErrorCode } from '@carryall/errors'
import type { Fault } from '@carryall/schemas'
import { checkFiles, inParallel } from '@carryall/shipment'
import type { Member } from './chain.ts'
import { together } from './together.ts'

const SHOWN = 5

/**
 * Refuses to carry shipments that are not what their own metadata and sums say: one error each. `fast` looks at names,
 * sizes and SHA256SUMS, `full` reads every byte. Throws DIGEST_MISMATCH, SIZE_MISMATCH, FILE_MISSING, FILE_UNEXPECTED,
 * INDEX_MISMATCH (82).
 */
export async function refuseDamaged(
  { signal, progress }: Pick<Context, 'signal' | 'progress'>,
  members: readonly Member[],
  mode: 'fast' | 'full',
): Promise<void> {
  const errors =
    mode === 'fast'
      ? await inParallel(members, async (member) =>
          damageOf(member, (await checkFiles(member, { mode, signal })).faults),
        )
      : await checkAll(members, { signal, progress })
  const found = errors.filter((error) => error !== undefined)
  if (found.length > 0) throw together(found)
}

/** Files of one shipment after those of another: a disk reads nothing faster for being asked twice. */
async function checkAll(
  members: readonly Member[],
  { signal, progress }: Pick<Context, 'signal' | 'progress'>,
): Promise<readonly (CarryallError | undefined)[]> {
  const bytes = members.reduce((sum, member) => sum + member.bytes, 0)
  const phase = progress.phase('Verifying', { items: members.length, bytes })
  const errors: (CarryallError | undefined)[] = []
  for (const member of members) {
    const { name } = member.metadata
    phase.started(name)
    const onBytes = (count: number): void => phase.advanced(count)
    const error = damageOf(member, (await checkFiles(member, { mode: 'full', signal, onBytes })).faults)
    if (error === undefined) phase.finished(name, 'every byte')
    else phase.failed(name, error)
    errors.push(error)
  }
  phase.end()
  return errors
}

function damageOf({ metadata, directory }: Member, faults: readonly Fault[]): CarryallError | undefined {
  const first = faults[0]
  if (first === undefined) return undefined
  const shown = faults.slice(0, SHOWN).map((fault) => fault.message)
  const rest = faults.length > SHOWN ? [`and ${faults.length - SHOWN} more`] : []
  return new CarryallError(codeOf(first), `${metadata.name} is damaged: ${[...shown, ...rest].join('; ')}`, {
    subject: { kind: 'shipment', name: metadata.name },
    ...(first.expected === undefined ? {} : { expected: first.expected }),
    ...(first.actual === undefined ? {} : { actual: first.actual }),
    hint: `See all of it with seq-meta verify ${directory}; put back the files, or make the shipment anew`,
  })
}

function codeOf({ code }: Fault): ErrorCode {
  const known = Object.hasOwn(CODES, code) ? (code as ErrorCode) : 'INDEX_MISMATCH'
  return CODES[known] === Exit.INTEGRITY ? known : 'INDEX_MISMATCH'
}
