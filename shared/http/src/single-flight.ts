/** Shares one running call per key: who asks while it runs gets its outcome, also its failure. */
export type SingleFlight<T> = (key: string, call: () => Promise<T>) => Promise<T>

/** A group of shared calls. Nothing is remembered when a call has ended; `call` should not depend on one caller's signal. */
export function singleFlight<T>(): SingleFlight<T> {
  const running = new Map<string, Promise<T>>()
  return (key, call) => {
    const joined = running.get(key)
    if (joined) return joined
    const started = Promise.resolve()
      .then(call)
      .finally(() => running.delete(key))
    running.set(key, started)
    return started
  }
}
