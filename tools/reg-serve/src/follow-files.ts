import { stat } from 'node:fs/promises'

export interface Following<T> {
  readonly paths: readonly string[]
  /** Reads the files. */
  load(): Promise<T>
  /** Gets what was read, at once and after each change. */
  use(value: T): void
  /** Is told what is wrong with a changed file; what was used before stays in use. */
  failed(error: unknown): void
  /** Milliseconds between two looks; 2000 if absent. */
  readonly everyMs?: number
}

/** Loads files now, throwing what `load` throws, and again whenever one of them has changed. Gives back what stops it. */
export async function followFiles<T>(following: Following<T>): Promise<() => void> {
  // Before the first load: a change in the meantime is seen by the first look.
  let seen = await stamps(following.paths)
  following.use(await following.load())
  let looking = false
  const look = async (): Promise<void> => {
    const now = await stamps(following.paths)
    if (now === seen) return
    seen = now
    try {
      following.use(await following.load())
    } catch (error) {
      following.failed(error)
    }
  }
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    void look().finally(() => (looking = false))
  }, following.everyMs ?? 2000)
  timer.unref()
  return () => clearInterval(timer)
}

async function stamps(paths: readonly string[]): Promise<string> {
  return (await Promise.all(paths.map(stamp))).join('|')
}

async function stamp(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
