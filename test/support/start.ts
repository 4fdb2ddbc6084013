import { spawn } from 'node:child_process'
import { buffer, text } from 'node:stream/consumers'
import type { Installed } from './bundles.ts'
import type { Ended } from './run.ts'

/** A tool that runs as a process of its own. */
export interface Running {
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

/** Starts a bundled tool; it dies with this process. */
export function start(
  installed: Installed,
  tool: string,
  argv: readonly string[],
  env: Record<string, string> = {},
): Running {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, installed.bundle(tool), ...argv], {
    env: { PATH: installed.path, HOME: '/nonexistent', CARRYALL_STATE_DIR: installed.stateDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')),
  )
  const output = Promise.all([exit, buffer(child.stdout), text(child.stderr)])
  return {
    kill: (signal) => void child.kill(signal),
    ended: output.then(([code, stdout, stderr]) => ({ exit: code, stdout, stderr })),
  }
}
