import { parseArgs } from 'node:util'
import type { Letter } from './contest.ts'
import type { SetName } from './data-set.ts'

export interface BenchOptions {
  readonly rounds: number
  readonly only: ReadonlySet<Letter>
  readonly sets: ReadonlySet<SetName>
  readonly json: string | undefined
  readonly gate: boolean
}

export const USAGE = `usage: node scripts/bench/main.ts [--only a,b,…,l] [--sets S,L] [--rounds N] [--json FILE] [--gate]

  a  registry to archive       mirror-seq against skopeo copy docker:// oci-archive:
  b  archive to registry       seq-push against skopeo copy oci-archive: docker://
  c  5 % new data              mirror-seq against its own full run (L)
  d  verify                    seq-meta verify against openssl dgst -sha256
  e  start-up                  seq-meta against node -e 0
  f  TLS                       a and b over https (L), without a goal
  g  pack                      transfer-pack against cp and sync (L, on disk)
  h  unpack                    transfer-unpack against cp and sync (L, on disk)
  i  plan                      transfer-plan of 1,000 shipments against node -e 0
  j  first sync                reg-sync against skopeo sync, into an empty registry
  k  nothing to do             the same once more (S)
  l  latency                   j with a destination 20 ms away (S)

  --rounds N   counted runs of each side after a warm-up; 5 if not given
  --json FILE  everything that was measured
  --gate       exit 1 where a goal is missed
`

const LETTERS: readonly Letter[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']
const SETS: readonly SetName[] = ['S', 'L']

/** Throws an Error for what it does not know. */
export function parseOptions(argv: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string', default: LETTERS.join() },
      sets: { type: 'string', default: SETS.join() },
      json: { type: 'string' },
      gate: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds}: not a number of rounds`)
  return {
    rounds,
    only: among('--only', values.only, LETTERS),
    sets: among('--sets', values.sets, SETS),
    json: values.json,
    gate: values.gate,
  }
}

function among<T extends string>(flag: string, text: string, known: readonly T[]): ReadonlySet<T> {
  const given = text.split(',')
  const unknown = given.find((each) => !known.includes(each as T))
  if (unknown !== undefined) throw new Error(`${flag} ${unknown}: not one of ${known.join()}`)
  return new Set(given as T[])
}
