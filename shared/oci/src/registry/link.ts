const MAX_LENGTH = 16 * 1024

/** The target of the first link with `rel="next"` in Link headers (RFC 8288), as it is written; undefined without one. */
export function nextLink(headers: readonly string[]): string | undefined {
  for (const header of headers) {
    for (const [, target, parameters] of header
      .slice(0, MAX_LENGTH)
      .matchAll(/<([^<>]*)>((?:\s*;\s*[^;,<>"]+(?:"[^"]*")?)*)/g)) {
      const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters ?? '')
      if ((rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/).includes('next')) return target
    }
  }
  return undefined
}
