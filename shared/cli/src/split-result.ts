import { CarryallError } from '@carryall/errors'
import type { Result } from './command.ts'

/** Takes the key `result`, which no schema has, off a document. Throws SCHEMA_INVALID if it is not one. */
export function splitResult(value: unknown, origin: string): { rest: unknown; result?: Result } {
  if (!isObject(value) || !Object.hasOwn(value, 'result')) return { rest: value }
  const { result, ...rest } = value
  if (!isObject(result) || typeof result['ok'] !== 'boolean' || typeof result['changed'] !== 'boolean') {
    throw new CarryallError('SCHEMA_INVALID', `${origin}: "result" lacks ok and changed`, {
      pointer: '#/result',
      location: { file: origin },
    })
  }
  return { rest, result: result as unknown as Result }
}

/**
 * Throws INPUT_REFUSED for a document that a failed upstream wrote, quoting its first error; with `takeFailed` only for one that says
 * nothing else.
 */
export function refuseFailed(value: unknown, origin: string, takeFailed = false): void {
  if (!isObject(value)) return
  const result = isObject(value['result']) ? value['result'] : {}
  if (value['kind'] !== 'Failure' && (takeFailed || result['ok'] !== false)) return
  const [first] = Array.isArray(value['errors']) ? (value['errors'] as unknown[]) : []
  const why = isObject(first)
    ? `${String(first['code'])}: ${String(first['message'])}`
    : `its result says so${exitOf(result)}`
  const by = isObject(value['tool']) ? value['tool']['name'] : value['tool']
  const tool = typeof by === 'string' ? by : 'the upstream'
  throw new CarryallError(
    'INPUT_REFUSED',
    `Refused ${String(value['kind'])} from ${origin}: ${tool} failed: ${why}`,
    {
      hint: 'Correct what failed upstream and run the pipeline again',
      location: { file: origin },
    },
  )
}

function exitOf(result: Record<string, unknown>): string {
  return typeof result['exit'] === 'number' ? `, exit ${result['exit']}` : ''
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
