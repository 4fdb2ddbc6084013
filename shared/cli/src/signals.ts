import { CarryallError, type ErrorCode } from '@carryall/errors'
import type { Host, SignalName } from './host.ts'

const CODE: Readonly<Record<SignalName, ErrorCode>> = {
  SIGINT: 'INTERRUPTED',
  SIGTERM: 'TERMINATED',
  SIGHUP: 'HUNG_UP',
}

/**
 * Aborts `controller` at the first signal with an error that carries its exit code (129, 130, 143); the verb then starts
 * nothing new and leaves what can be resumed. The second ends the process at once. Gives back what stops the watch.
 */
export function watchSignals(
  host: Host,
  controller: AbortController,
  onFirst: (signal: SignalName) => void,
): () => void {
  let first = true
  return host.onSignal((signal) => {
    if (!first) {
      host.endBy(signal)
      return
    }
    first = false
    onFirst(signal)
    controller.abort(
      new CarryallError(CODE[signal], `Stopped by ${signal}`, {
        hint: 'Run the same command again; it goes on from what is done',
        retryable: true,
      }),
    )
  })
}
