import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** What came over a connection, to the byte. */
export interface Wire {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>>
  /** As it was sent, chunks and all. */
  readonly body: Buffer
  /** How it ended: in good order, torn down, or not at all within the time given. */
  readonly end: 'fin' | 'reset' | 'open'
  /** Until the first byte; undefined without one. */
  readonly firstByteMs: number | undefined
}

/** Sends one request by hand over a connection of its own and reads until it ends, or until `ms` have gone by. */
export async function wire(
  host: string,
  request: string,
  { headers = {}, body = '', ms = 400 }: WireOptions = {},
): Promise<Wire> {
  const [address, port] = host.split(':')
  const socket = connect(Number(port), address)
  const chunks: Buffer[] = []
  const started = performance.now()
  let firstByteMs: number | undefined
  const ended = new Promise<Wire['end']>((resolve) => {
    socket.on('data', (chunk) => {
      firstByteMs ??= performance.now() - started
      chunks.push(Buffer.from(chunk))
    })
    socket.once('end', () => resolve('fin')).once('error', () => resolve('reset'))
  })
  const lines = { host, connection: 'close', 'content-length': String(body.length), ...headers }
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${request} HTTP/1.1\r\n${head.join('')}\r\n`)
  if (body.length > 0) socket.write(body)
  const end = await Promise.race([ended, wait(ms).then(() => 'open' as const)])
  socket.destroy()
  return { ...parse(Buffer.concat(chunks)), end, firstByteMs }
}

export interface WireOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Milliseconds; 400 if absent. */
  readonly ms?: number
}

function parse(bytes: Buffer): Pick<Wire, 'status' | 'headers' | 'body'> {
  const split = bytes.indexOf('\r\n\r\n')
  if (split < 0) return { status: undefined, headers: {}, body: bytes }
  const [first = '', ...lines] = bytes.subarray(0, split).toString('latin1').split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  return { status: Number(first.split(' ')[1]), headers, body: bytes.subarray(split + 4) }
}
