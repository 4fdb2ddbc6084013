import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What one run of a client took. CPU time and memory are the kernel's account of the process and all that it waited for. */
export interface Usage {
  readonly wallSeconds: number
  /** User and system. */
  readonly cpuSeconds: number
  /** Peak resident memory of the largest single process, in 10^6 bytes. */
  readonly peakMegabytes: number
}

export interface Place {
  /** For output and bookkeeping. */
  readonly scratch: string
  readonly env: NodeJS.ProcessEnv
}

/**
 * Runs a program under GNU time, which learns from wait4 what it took. Throws with the end of its standard error where it
 * fails: what failed early must not look fast.
 */
export async function measured(command: readonly string[], { scratch, env }: Place): Promise<Usage> {
  const account = join(scratch, 'account')
  const child = spawn('time', ['-o', account, '-f', '%U %S %M', '--', ...command], {
    cwd: scratch,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const start = process.hrtime.bigint()
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  )
  const wallSeconds = Number(process.hrtime.bigint() - start) / 1e9
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${said}`)
  const [user = Number.NaN, system = Number.NaN, kibibytes = Number.NaN] = (await readFile(account, 'utf8'))
    .trim()
    .split(' ')
    .map(Number)
  return { wallSeconds, cpuSeconds: user + system, peakMegabytes: (kibibytes * 1024) / 1e6 }
}
