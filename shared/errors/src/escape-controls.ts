// Controls, formats (the bidirectional ones are among them), lone surrogates, separators, what has no shape of its own,
// and what stands where a byte could not be read.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffd]/gu

/**
 * Makes text safe for a terminal and a log line: control, bidirectional, invisible and invalid characters become
 * `\u{…}`. Newline and tab stay.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(UNSAFE, (char) =>
    char === '\n' || char === '\t' ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`,
  )
}
