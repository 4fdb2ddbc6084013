/** Longer values are tokens, which nobody encodes once more. */
const LONGEST_ENCODED = 512
/** Fewer characters of base64 would also be met by chance. */
const SHORTEST_INNER = 8

/** The spellings in which a secret may turn up in a text. */
export function secretForms(value: string): readonly string[] {
  if (value.length > LONGEST_ENCODED) return [value]
  const bytes = Buffer.from(value)
  const percent = encodeURIComponent(value.toWellFormed())
  const plain = [
    value,
    JSON.stringify(value).slice(1, -1),
    percent,
    percent.replaceAll(/%../g, (escape) => escape.toLowerCase()),
    new URLSearchParams([['', value]]).toString().slice(1),
    percent.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    bytes.toString('base64'),
    bytes.toString('base64').replaceAll('=', ''),
  ]
  const encoded = [...plain, ...innerBase64(bytes)]
  return [
    ...new Set(encoded.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])),
  ].filter((form) => form.length >= 4)
}

/** What stays the same of the value in the base64 of any text that contains it: of `user:password`, say. */
function innerBase64(bytes: Buffer): string[] {
  return [1, 2, 0]
    .map((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), bytes])
        .toString('base64')
        .replaceAll('=', '')
      const first = shift === 0 ? 0 : shift + 1
      const last = (shift + bytes.length) % 3 === 0 ? text.length : text.length - 1
      return text.slice(first, last)
    })
    .filter((form) => form.length >= SHORTEST_INNER)
}
