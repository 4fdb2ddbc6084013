import { CarryallError } from '@carryall/errors'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command, Item } from '../command.ts'
import { defineVerb } from '../define-verb.ts'
import { integer, list, oneOf, size, text, toggle } from '../flag-makers.ts'

const base = {
  effects: false,
  reads: [],
  writes: [],
  flags: {},
  examples: [],
  operands: { synopsis: '', min: 0, max: 0 },
} as const

const item = (document: object): Item => ({
  document: { apiVersion: 'carryall/v1', kind: 'Probe', ...document },
  result: { ok: true, changed: false },
})

/** Says what reached it. */
const echo = defineVerb({
  ...base,
  name: 'echo',
  summary: 'Print flags and operands',
  effects: true,
  writes: ['Settings'],
  operands: { synopsis: '[WORD...]', min: 0, max: 5 },
  flags: {
    description: text('TEXT', 'Free text', { short: 'd' }),
    tag: list('TAG', 'A tag'),
    retries: integer('N', 'Retries', { absent: 2, max: 10 }),
    chunk: size('SIZE', 'Size of a part', { min: 1 }),
    mode: oneOf(['fast', 'full'], 'How', { absent: 'full' }),
    signatures: toggle('With signatures', { absent: true }),
    overwrite: toggle('Overwrite', { argvOnly: true }),
  },
  examples: [{ command: 'probe echo --description 1.10 -', what: 'Say it' }],
  async run(context, flags, operands) {
    return {
      items: [
        item({
          ...flags,
          operands,
          dry_run: context.dryRun,
          state_dir: context.stateDir,
          wait: context.waitSeconds,
          now: context.now().toISOString(),
          overrides: context.overrides,
          clock: context.clock().toISOString(),
        }),
      ],
    }
  },
})

const show = defineVerb({
  ...base,
  name: 'show',
  summary: 'Print documents that come in',
  reads: ['Settings'],
  writes: ['Settings'],
  operands: { synopsis: '[DOCUMENT|-]...', min: 0, max: Infinity },
  async run(context, _flags, operands) {
    const documents = context.documents(operands, ['Settings'])
    return {
      items: (async function* () {
        for await (const { document, result, ...where } of documents)
          yield { document: { ...document, ...where, upstream: result ?? null } }
      })(),
    }
  },
})

/** Everything that ends badly, or takes long. */
const act = defineVerb({
  ...base,
  name: 'act',
  summary: 'Behave as told',
  effects: true,
  operands: { synopsis: 'HOW', min: 1, max: 1 },
  flags: { mark: text('FILE', 'Written when the work is done'), stdout: toggle('Payload on stdout') },
  async run(context, flags, [how]) {
    switch (how) {
      case 'big':
        return { items: [item({ text: 'x'.repeat(5_000_000) })] }
      case 'work': {
        const { writeFile } = await import('node:fs/promises')
        return {
          items: (async function* () {
            for (let at = 0; at < 50; at++) yield item({ at, text: 'x'.repeat(20_000) })
            if (flags.mark !== undefined) await writeFile(flags.mark, 'done')
          })(),
        }
      }
      case 'partial':
        return {
          items: [item({})],
          exit: 1,
          errors: [new CarryallError('ITEMS_FAILED', 'One of two failed')],
        }
      case 'mismatch':
        throw new CarryallError('DIGEST_MISMATCH', 'Digest of "a\u001b[2J" differs', {
          hint: 'Fetch it again',
          pointer: '#/files/0',
          location: { file: 'x.yaml', line: 3 },
        })
      case 'bug':
        throw new TypeError('not a function')
      case 'uncaught':
        setImmediate(() => {
          throw new Error('nobody catches https://user:secret@registry.example/')
        })
        return sleep(10_000).then(() => ({ items: [] }))
      case 'rejected':
        void Promise.reject(new Error('nobody awaits'))
        return sleep(10_000).then(() => ({ items: [] }))
      case 'never':
        return new Promise(() => {})
      case 'payload':
        context.stdout.write('payload')
        return { items: [item({})] }
      case 'wait':
        context.log.info('ready')
        await sleep(10_000, undefined, { signal: context.signal })
        return { items: [] }
      case 'deaf':
        context.log.info('ready')
        await sleep(10_000)
        return { items: [] }
      case 'ask': {
        const secret = await context.askSecret('Password')
        context.log.info(`It is ${secret}`)
        return { items: [item({ secret: Buffer.from(secret).toString('hex') })] }
      }
      case 'progress': {
        const phase = context.progress.phase('Fetching', { items: 3, bytes: 3000 })
        for (const name of ['one', 'two']) {
          phase.started(name)
          phase.advanced(1000)
          phase.finished(name, '1.0 kB')
        }
        context.log.warn('a warning meanwhile')
        await sleep(50)
        phase.started('three')
        phase.failed('three', new CarryallError('NET_TIMEOUT', 'No answer'))
        phase.end()
        return { items: [item({})] }
      }
      default:
        throw new CarryallError('USAGE_BAD_VALUE', `Unknown behaviour "${how}"`)
    }
  },
})

/** A tool with every behaviour that the tests of this package need. */
export const probe: Command = {
  name: 'probe',
  version: '1.2.3',
  summary: 'Try the command line',
  verbs: [echo, show, act],
}
