import { CarryallError, CODES, Exit, type ErrorCode } from '@carryall/errors'
import type { Verification } from '@carryall/schemas'

const HINTS: Readonly<Partial<Record<number, string>>> = {
  [Exit.SEQUENCE]: 'Do not use this shipment before the chain is whole',
  [Exit.TRUST]: 'Do not use this shipment before keys that are trusted here have signed it',
}

/** What is wrong with a shipment, as errors that name it. */
export function errorsOf(verification: Verification): CarryallError[] {
  const { name } = verification.shipment
  const faults = verification.faults.map((fault) => {
    const code = (fault.code in CODES ? fault.code : 'INDEX_MISMATCH') as ErrorCode
    return new CarryallError(code, `${name}: ${fault.message}`, {
      subject: { kind: 'shipment', name },
      ...(fault.expected === undefined ? {} : { expected: fault.expected }),
      ...(fault.actual === undefined ? {} : { actual: fault.actual }),
      hint: HINTS[CODES[code]] ?? 'Carry this file again',
    })
  })
  const lacking = verification.missing.map(
    (one) =>
      new CarryallError(
        'SEQ_INCOMPLETE',
        `${name} needs ${one.name ?? `number ${one.sequence_number}`}, which is not here (${one.blobs} blobs, ${one.size_bytes} bytes)`,
        {
          subject: { kind: 'shipment', name },
          hint: `Carry ${one.name ?? `sequence ${one.sequence_number}`} too, unless the destination holds it already`,
        },
      ),
  )
  return [...faults, ...lacking]
}

/** One line for each shipment. */
export function table(all: readonly Verification[]): { columns: string[]; rows: (string | number)[][] } {
  return {
    columns: ['NAME', 'MODE', 'FILES', 'BLOBS', 'SIGNERS', 'FAULTS', 'MISSING', 'RESULT'],
    rows: all.map((one) => [
      one.shipment.name,
      one.mode,
      one.checked.files,
      one.checked.blobs,
      one.signers?.length ?? '-',
      one.faults.length,
      one.missing.map((lack) => lack.name ?? String(lack.sequence_number)).join(' ') || '-',
      resultOf(one),
    ]),
  }
}

function resultOf({ faults, missing }: Verification): string {
  if (faults.length === 0) return missing.length > 0 ? 'incomplete' : 'whole'
  return faults.every(({ code }) => code.startsWith('SIG_')) ? 'not trusted' : 'damaged'
}
