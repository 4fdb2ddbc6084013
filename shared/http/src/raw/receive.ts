import { networkError } from '../network-error.ts'
import type { HeaderValues } from '../request.ts'
import type { HttpResponse } from '../response.ts'
import { bodyLength } from './answer-head.ts'
import { Receiver, type RawOptions } from './receiver.ts'
import { requestHead } from './request-head.ts'
import { answerHeaders, smallAnswer } from './small-answer.ts'

/**
 * GETs a large body over a connection of its own, received by the kernel straight into buffers of the process's pool:
 * half of the CPU time that a general client takes, and no garbage. A chunk is valid until the next one is asked for.
 * Undefined where the answer is large and does not say its length; then a general client has to ask again.
 */
export async function receive(
  url: URL,
  headers: HeaderValues,
  options: RawOptions,
): Promise<HttpResponse | undefined> {
  const receiver = new Receiver(url, options)
  try {
    const head = await receiver.ask(requestHead('GET', url, headers))
    const length = bodyLength(head)
    const whole = head.status === 200 || head.status === 206
    if (whole && length !== undefined) return { ...answerHeaders(head, url), ...receiver.large(length) }
    if (whole) {
      receiver.end()
      return undefined
    }
    return smallAnswer(head, url, await receiver.rest(length))
  } catch (error) {
    receiver.end()
    options.signal?.throwIfAborted()
    throw networkError(error, 'GET', url)
  }
}
