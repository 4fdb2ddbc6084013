// Besides controls, formats (which hold the bidirectional ones), lone surrogates and separators: letters without a
// shape, and what stands where a byte could not be read.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u2800\u3164\uffa0\ufffd]/gu

/**
 * Makes text safe for a terminal and a log line: control, bidirectional, invisible and invalid characters become
 * `\u{…}`. Newline and tab stay.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(UNSAFE, (char) =>
    char === '\n' || char === '\t' ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`,
  )
}
