import { basename, resolve } from 'node:path'
import type { Context, Outcome, Table } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import { isDigest, parseKind, readDocuments, receiptKind, type AuditReport } from '@carryall/schemas'
import { readSmall } from '@carryall/shipment'
import { auditFile, checkAuditLog } from '@carryall/site'

/** `seq-meta audit`: whether an audit log is whole, and what is in it. AUDIT_BROKEN (82) where it is not. */
export async function audit(
  context: Context,
  flags: { readonly 'expect-head': string | undefined },
  operands: readonly string[],
): Promise<Outcome> {
  const [operand] = operands
  const file = operand === undefined ? auditFile(context.stateDir) : resolve(context.cwd, operand)
  const expectHead =
    flags['expect-head'] === undefined ? undefined : await headOf(context, flags['expect-head'])
  const report = await checkAuditLog(file, {
    ...(expectHead === undefined ? {} : { expectHead }),
    signal: context.signal,
  })
  if (report.cut_bytes !== undefined)
    context.log.warn(
      `The last line of ${file} was cut while it was written (${report.cut_bytes} bytes); the next entry drops it`,
    )
  const errors = faultsOf(report, expectHead)
  return {
    items: [{ document: report, result: { ok: errors.length === 0, changed: false } }],
    ...(errors.length === 0 ? {} : { exit: errors[0]!.exit, errors }),
    table: () => table(report),
  }
}

async function headOf(context: Context, given: string): Promise<string> {
  if (isDigest(given)) return given
  const path = resolve(context.cwd, given)
  const receipt = parseKind(receiptKind, readDocuments(await readSmall(path), path)[0], path)
  if (receipt.audit_head !== undefined) return receipt.audit_head
  throw new CarryallError('SCHEMA_INVALID', `${given} does not say what the audit log ended with`, {
    pointer: '#/audit_head',
    location: { file: path },
    hint: 'Give a receipt with an "audit_head", or the digest itself',
  })
}

function faultsOf(report: AuditReport, expectHead: string | undefined): readonly CarryallError[] {
  const { log, faults, intact, expected_head } = report
  const subject = { kind: 'file', name: log } as const
  const errors: CarryallError[] = []
  const broken = faults.filter(({ code }) => code === 'AUDIT_BROKEN')
  const [first] = broken
  if (!intact) {
    errors.push(
      new CarryallError(
        'AUDIT_BROKEN',
        `${basename(log)} is broken${first === undefined ? '' : ` at line ${first.line}: ${first.message}`}${broken.length > 1 ? `, and at ${broken.length - 1} more` : ''}`,
        {
          subject,
          ...(first === undefined ? {} : { location: { file: log, line: first.line } }),
          hint: 'Compare it with a backup, and its heads with those in receipts and in the journal: journalctl -t carryall',
        },
      ),
    )
  }
  if (expected_head === 'absent') {
    errors.push(
      new CarryallError('AUDIT_BROKEN', `${basename(log)} holds no entry with the digest ${expectHead}`, {
        subject,
        expected: expectHead!,
        actual: report.head ?? 'nothing',
        hint: 'Entries were removed or altered after the receipt was written, or it is the log of another site',
      }),
    )
  }
  return errors
}

function table(report: AuditReport): Table {
  const { entries, intact, first, last, head, expected_head, faults, overrides, cut_bytes } = report
  const rows = (
    [
      ['user', report.users],
      ['action', report.actions],
      ['outcome', report.outcomes],
    ] as const
  ).flatMap(([what, counts]) => counts.map((one) => [what, one.name, one.entries]))
  return {
    columns: ['WHAT', 'NAME', 'ENTRIES'],
    rows,
    notes: [
      `${entries} entries${first === undefined ? '' : `, ${first} to ${last}`}; ${intact ? 'intact' : 'BROKEN'}${head === undefined ? '' : `, head ${head}`}`,
      ...(expected_head === undefined ? [] : [`Expected head: ${expected_head}`]),
      ...(cut_bytes === undefined ? [] : [`Last line cut: ${cut_bytes} bytes`]),
      ...overrides.map((one) => `${one.time} ${one.user}: ${one.action} with --${one.flags.join(' --')}`),
      ...faults.map((fault) => `line ${fault.line}: ${fault.code}: ${fault.message}`),
    ],
  }
}
