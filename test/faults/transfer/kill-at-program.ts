import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { output, start } from '../harness/index.ts'
import { afterFault, type Measured } from './disturb-transfer.ts'
import { ENVIRONMENT } from './transfer-case.ts'

/** The how manieth start of a program, from 1, and on which side of it: at its entry, or when its work is done. */
export interface Moment {
  readonly nth: number
  readonly side: 'before' | 'after'
}

/** How many times a run starts a program. */
export async function countStarts(argv: readonly string[], program: string): Promise<number> {
  const { starts } = await runWatched(argv, program, undefined)
  return starts
}

/** What is wrong after a run that is killed by a program that it starts, and after a second run that nothing disturbs. */
export async function disturbAtProgram(
  measured: Measured,
  program: string,
  moment: Moment,
  root: string,
): Promise<readonly string[]> {
  const { one } = measured
  await one.prepare(root)
  const { signal } = await runWatched(one.argv(root), program, moment)
  const found = await afterFault(measured, root, () => (signal === 'SIGKILL' ? [] : ['it was not killed']))
  return found.map((text) => `${one.name}, SIGKILL ${moment.side} ${program} ${moment.nth}: ${text}`)
}

/** In a mount namespace of its own, where a script stands in the place of the program and starts it. */
async function runWatched(argv: readonly string[], program: string, moment: Moment | undefined) {
  const directory = await mkdtemp(join(tmpdir(), 'watched-'))
  try {
    const place = (await output('sh', '-c', 'command -v "$1"', 'sh', program)).trim()
    const [real, script, starts] = ['real', 'script', 'starts'].map((name) => join(directory, name))
    await copyFile(place, real!)
    await writeFile(starts!, '')
    await writeFile(script!, scriptOf(real!, starts!, moment))
    await chmod(script!, 0o755)
    const mounted = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
    const run = start(['unshare', '--mount', 'sh', '-c', mounted, 'sh', script!, place, ...argv], {
      ...process.env,
      ...ENVIRONMENT,
    })
    const ending = await run.exit
    if (moment === undefined && ending.exitCode !== 0) throw new Error(`ended otherwise: ${run.stderr()}`)
    return { ...ending, starts: (await readFile(starts!, 'utf8')).length }
  } finally {
    await rm(directory, { recursive: true })
  }
}

function scriptOf(real: string, starts: string, moment: Moment | undefined): string {
  const kill = (side: Moment['side']): string =>
    moment?.side === side ? `[ "$(wc -c <'${starts}')" -eq ${moment.nth} ] && kill -9 $PPID` : ':'
  return [
    '#!/bin/sh',
    `printf x >>'${starts}'`,
    kill('before'),
    `'${real}' "$@"`,
    'code=$?',
    kill('after'),
    'exit $code',
    '',
  ].join('\n')
}
