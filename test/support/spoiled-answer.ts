import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import type { Fault } from './faults.ts'

const UNREAD_MS = 50

/** Sends a registry's answer with its fault. */
export async function sendSpoiled(
  outgoing: ServerResponse,
  answer: IncomingMessage,
  method: string,
  fault: Fault,
): Promise<void> {
  const whole = await buffer(answer)
  const body = method === 'HEAD' ? Buffer.alloc(0) : whole
  const status = answer.statusCode ?? 502
  if (fault.fault === 'lost-reply') {
    if (!fault.silent) outgoing.socket?.resetAndDestroy()
    return
  }
  if (fault.fault === 'chunk') return cutChunk(outgoing, status, body, fault.after)
  const sent = spoiledBody(body, fault)
  // Or node:http would not send what is wrong.
  outgoing.strictContentLength = false
  const expired = fault.fault === 'expired' && status !== 401
  outgoing.writeHead(expired ? 401 : status, { ...answer.headers, ...spoiledHeaders(answer, body, fault) })
  outgoing.flushHeaders()
  if (sent.length > 0) await new Promise<void>((resolve) => outgoing.write(sent, () => resolve()))
  if (fault.fault === 'stall') return
  // A reset takes with it what the other side's kernel holds unread.
  if ('after' in fault && sent.length > 0) await wait(UNREAD_MS)
  const isShort = fault.fault === 'length' || (fault.fault === 'truncate' && !fault.honest)
  if (fault.fault === 'reset') outgoing.socket?.resetAndDestroy()
  else if (isShort) outgoing.socket?.end()
  else outgoing.end()
}

function cutChunk(outgoing: ServerResponse, status: number, body: Buffer, after: number): void {
  const { socket } = outgoing
  socket?.write(`HTTP/1.1 ${status} OK\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`)
  socket?.end(body.subarray(0, after))
}

function spoiledBody(body: Buffer, fault: Fault): Buffer {
  if ('after' in fault) return body.subarray(0, fault.after)
  if (fault.fault === 'extra') return Buffer.concat([body, Buffer.alloc(fault.count)])
  return fault.fault === 'bytes' ? Buffer.from(body.map((byte) => byte ^ 0x55)) : body
}

function spoiledHeaders(
  { headers, statusCode }: IncomingMessage,
  body: Buffer,
  fault: Fault,
): Readonly<Record<string, string>> {
  switch (fault.fault) {
    case 'digest':
      return { 'docker-content-digest': fault.digest }
    case 'length':
      return { 'content-length': String(fault.length) }
    case 'extra':
      return { 'content-length': String(body.length + fault.count) }
    case 'truncate':
      return fault.honest ? { 'content-length': String(Math.min(fault.after, body.length)) } : {}
    case 'expired':
      // What knows no authentication has no words for it.
      return statusCode === 401 ? {} : { 'www-authenticate': 'Basic realm="expired"' }
    case 'foreign': {
      const { location, link } = headers
      return {
        link:
          (link as string | undefined)?.replace(/<(?:https?:\/\/[^/>]*)?/, `<${fault.to}`) ??
          `<${fault.to}/next>; rel="next"`,
        location: location?.replace(/^(?:https?:\/\/[^/]*)?/, fault.to) ?? `${fault.to}/`,
      }
    }
    default:
      return {}
  }
}
