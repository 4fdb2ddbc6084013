import type { HeaderValues } from '../request.ts'

/** The head of an HTTP/1.1 request on a connection of its own. A header that could end the line is a bug: RangeError. */
export function requestHead(method: string, url: URL, headers: HeaderValues): string {
  const lines = Object.entries({ host: url.host, connection: 'close', ...headers }).map(([name, value]) => {
    if (/[\r\n\0]/.test(name + value))
      throw new RangeError(`A header of ${method} ${url.host} holds a line break: ${name}`)
    return `${name}: ${value}\r\n`
  })
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`
}
