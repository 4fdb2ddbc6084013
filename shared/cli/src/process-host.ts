import { fstatSync, openSync, writeSync } from 'node:fs'
import { isatty, ReadStream } from 'node:tty'
import type { Host, SignalName, Terminal } from './host.ts'

const SIGNALS: readonly SignalName[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** The process that runs this as a host; `release` lets go of a stdin that was opened, so that the process can end. */
export function processHost(): Host & { release(): void } {
  let stop = (): void => {}
  let opened = false
  return {
    argv: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    get stdin() {
      opened = true
      return process.stdin
    },
    stdinKind: kindOfStdin(),
    stdout: process.stdout,
    stderr: process.stderr,
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    get columns() {
      return process.stderr.columns || 80
    },
    openTerminal,
    uid: process.getuid?.() ?? -1,
    etc: '/etc/carryall',
    node: process.versions.node,
    now: () => new Date(),
    ticks: () => performance.now(),
    onSignal(listener) {
      for (const signal of SIGNALS) process.on(signal, listener)
      stop = () => {
        for (const signal of SIGNALS) process.off(signal, listener)
      }
      return stop
    },
    release: () => {
      if (opened) process.stdin.destroy()
    },
    endBy(signal) {
      // With the default action back, the shell sees that the signal ended us, and its loops stop, too
      stop()
      process.kill(process.pid, signal)
    },
  }
}

function openTerminal(): Terminal | undefined {
  try {
    const fd = openSync('/dev/tty', 'r+')
    const input = new ReadStream(fd)
    input.setRawMode(true)
    return {
      input,
      write: (text) => void writeSync(fd, text),
      close() {
        if (!input.destroyed) input.setRawMode(false)
        input.destroy()
      },
    }
  } catch {
    return undefined
  }
}

function kindOfStdin(): Host['stdinKind'] {
  try {
    const stat = fstatSync(0)
    if (stat.isFIFO() || stat.isSocket()) return 'pipe'
    if (stat.isFile()) return 'file'
    return isatty(0) ? 'terminal' : 'none'
  } catch {
    return 'none'
  }
}
