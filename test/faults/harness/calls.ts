import { resolve } from 'node:path'

/** The system calls that change a file system, or tell that a change failed. `?` marks those that not every machine has. */
export const WRITE_CALLS = [
  ...['openat', 'write', 'pwrite64', 'writev', 'pwritev', 'ftruncate', 'fallocate', 'copy_file_range'],
  ...['fchmod', 'fchmodat', '?chmod', 'fsync', 'fdatasync', 'close', '?rename', '?renameat', 'renameat2'],
  ...['?link', 'linkat', '?unlink', 'unlinkat', '?mkdir', 'mkdirat', '?rmdir', '?symlink', 'symlinkat'],
] as const

/** One system call of the traced thread. */
export interface Call {
  readonly name: string
  /** Counting from 1, the how manieth of that name: what `runWithInjection` takes as `when`. */
  readonly nth: number
  /** Absolute paths: of the descriptor, or the path arguments in order. */
  readonly paths: readonly string[]
  /** Of openat. */
  readonly flags: number
  /** `?` where the process died in it. */
  readonly result: number | '?'
  readonly injected: boolean
}

const LINE = /^(\w+)\((.*)\)\s+= (\?|-?\d+)(?:<.*>)?(?: E\w+ \(.*?\))?( \(INJECTED\))?$/
const BY_PATH = /^(?:open|rename|link|unlink|mkdir|rmdir|symlink|chmod|fchmodat)/
const DESCRIPTOR = /^-?\d+<([^>]*)>/

/** Reads a log of `strace -y -X raw` of one thread. Writes that only wake the event loop are left out, but counted. */
export function parseCalls(log: string): Call[] {
  const seen = new Map<string, number>()
  const calls: Call[] = []
  for (const line of log.split('\n')) {
    const [, name, args, result, injected] = LINE.exec(line) ?? []
    if (name === undefined || args === undefined) continue
    const nth = (seen.get(name) ?? 0) + 1
    seen.set(name, nth)
    if (args.includes('<anon_inode:')) continue
    calls.push({
      name,
      nth,
      paths: pathsOf(name, args),
      flags: Number(/", (0x[0-9a-f]+|0)/.exec(args)?.[1] ?? 0),
      result: result === '?' ? '?' : Number(result),
      injected: injected !== undefined,
    })
  }
  return calls
}

function pathsOf(name: string, args: string): string[] {
  const descriptor = DESCRIPTOR.exec(args)?.[1] ?? '/'
  if (!BY_PATH.test(name)) return [descriptor]
  return [...args.matchAll(/"([^"]*)"/g)].map(([, path]) => resolve(descriptor, path!))
}
