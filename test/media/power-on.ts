import { spawn } from 'node:child_process'

/** A guest that runs. */
export interface Guest {
  /** Pulls its plug. */
  kill(): void
  /** Fulfilled with what was on its console when its last process has ended, or dies of the kill. */
  readonly ended: Promise<string>
}

// The guest is many processes of the host, one for each of its own, and a kill of the first leaves the others running. A
// namespace of process ids makes them one: its end is theirs. It ends with `unshare`, and that with this process.
const CONTAINED = [
  ...['setpriv', '--pdeathsig', 'KILL'],
  ...['unshare', '--pid', '--mount-proc', '--fork', '--kill-child=KILL'],
]

/** Starts user-mode-linux with these kernel parameters. */
export function powerOn(parameters: readonly string[]): Guest {
  const [program, ...args] = CONTAINED
  const child = spawn(program!, [...args, 'linux.uml', ...parameters], {
    detached: true,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let console = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (console += text))
  return {
    kill: () => {
      // Its group, as it leads one.
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGKILL')
    },
    // Every process of the guest holds the pipe until it dies.
    ended: new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', () => resolve(console))
    }),
  }
}
