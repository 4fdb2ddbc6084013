/** Runs a task when a place is free, in the order of the calls; an aborted wait rejects with the signal's reason. */
export type Limit = <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T>

/** At most `places` tasks at a time. */
export function limit(places: number): Limit {
  let free = places
  const waiting: (() => void)[] = []

  const enter = (signal: AbortSignal | undefined) =>
    new Promise<void>((resolve, reject) => {
      signal?.throwIfAborted()
      if (free > 0) {
        free -= 1
        return resolve()
      }
      const go = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1)
        reject(signal!.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      waiting.push(go)
    })

  const exit = () => {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  }

  return async (task, signal) => {
    await enter(signal)
    try {
      return await task()
    } finally {
      exit()
    }
  }
}
