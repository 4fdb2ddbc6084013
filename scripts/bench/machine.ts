import { execFile } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { NODE } from './stage.ts'

const NEEDED = ['docker-registry', 'openssl', 'setpriv', 'skopeo', 'time']

/** What the figures depend on, and when they were taken. */
export interface Machine {
  readonly date: string
  readonly cores: number
  readonly processor: string
  readonly memoryGB: number
  readonly kernel: string
  readonly node: string
  readonly skopeo: string
  readonly registry: string
  readonly openssl: string
}

/** Looks around. Throws where a program is missing. */
export async function machine(): Promise<Machine> {
  for (const program of NEEDED) {
    await firstLine('sh', '-c', `command -v ${program}`).catch(() => {
      throw new Error(
        `${program} is missing (Debian, Ubuntu: apt-get install docker-registry openssl skopeo time util-linux)`,
      )
    })
  }
  return {
    date: new Date().toISOString(),
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGB: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: await firstLine(NODE, '--version'),
    skopeo: await firstLine('skopeo', '--version'),
    registry: await firstLine('docker-registry', '--version'),
    openssl: await firstLine('openssl', 'version'),
  }
}

async function firstLine(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args])
  return stdout.split('\n')[0]!.trim()
}
