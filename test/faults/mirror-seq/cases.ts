import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Call, countCalls, output, runWithInjection, start } from '../harness/index.ts'
import { restoreHead } from '../restore-head.ts'
import { ENVIRONMENT, FIRST, NEXT, type Site } from './site.ts'

/** A run of `mirror-seq` that is disturbed, and what it finds. */
export interface MirrorCase {
  readonly name: 'the first sequence' | 'the next sequence' | 'a run that goes on' | 'a run that begins anew'
  /** The command, on this content directory. One blob at a time, so that its calls come in one order. */
  argv(content: string): readonly string[]
  /** It begins the chain, and draws its id. */
  readonly drawsId: boolean
  /** Makes the content directory as it is before. */
  prepare(content: string): Promise<void>
}

const ONE_BY_ONE = ['--max-parallel-downloads', '1', '--parallel-images', '1'] as const

/**
 * The cases: number 1; number 2; number 2 where a run was killed half-way through its archive; and the same where the
 * images are pinned anew, so that the staging of the killed run becomes a leftover that is used and then removed.
 */
export async function makeCases(site: Site): Promise<readonly MirrorCase[]> {
  const first = await site.configure('first.yaml', FIRST)
  const next = await site.configure('next.yaml', NEXT)
  const argvOf =
    (config: string, ...flags: readonly string[]) =>
    (content: string) =>
      site.argv(config, '--content', content, ...ONE_BY_ONE, ...flags)
  const baseline = site.scratch.at('prepared', 'baseline')
  await undisturbedRun(argvOf(first)(baseline))
  const halfway = site.scratch.at('prepared', 'halfway')
  await restore(baseline, halfway)
  const calls = await countCalls(argvOf(next)(halfway), ENVIRONMENT)
  await restore(baseline, halfway)
  await killHalfway(argvOf(next)(halfway), calls)
  const without = async (content: string) => {
    await mkdir(dirname(content), { recursive: true })
    await rm(content, { recursive: true, force: true })
  }
  const after = (prepared: string) => (content: string) => restore(prepared, content)
  return [
    { name: 'the first sequence', drawsId: true, argv: argvOf(first), prepare: without },
    { name: 'the next sequence', drawsId: false, argv: argvOf(next), prepare: after(baseline) },
    { name: 'a run that goes on', drawsId: false, argv: argvOf(next), prepare: after(halfway) },
    {
      name: 'a run that begins anew',
      drawsId: false,
      argv: argvOf(next, '--restart'),
      prepare: after(halfway),
    },
  ]
}

/** A run without faults and tracer. */
export async function undisturbedRun(argv: readonly string[]): Promise<string> {
  const program = start(argv, { ...process.env, ...ENVIRONMENT })
  const { exitCode, signal } = await program.exit
  if (exitCode !== 0) throw new Error(`ended with ${exitCode ?? signal}: ${program.stderr()}`)
  return program.stdout()
}

/** Kills a run with some blobs whole in the archive, and some missing: it writes the headers, then blob after blob. */
async function killHalfway(argv: readonly string[], calls: readonly Call[]): Promise<void> {
  const writes = calls.filter(({ name, paths }) => name === 'pwrite64' && paths[0]!.endsWith('.tar'))
  const { fired } = await runWithInjection(
    argv,
    { call: 'pwrite64', when: writes.at(-2)!.nth, what: 'SIGKILL' },
    ENVIRONMENT,
  )
  if (!fired) throw new Error('A run was to be killed half-way, and ended before')
}

/** Copies a content directory, and makes the copy an original. */
async function restore(prepared: string, content: string): Promise<void> {
  await rm(content, { recursive: true, force: true })
  await mkdir(dirname(content), { recursive: true })
  await output('cp', '-a', prepared, content)
  await restoreHead(content)
}
