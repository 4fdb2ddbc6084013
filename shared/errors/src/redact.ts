const MASK = '***'
const secrets = new Set<string>()

/** Remembers a secret of this process so that `redact` masks it, plain, base64 and URL-encoded. Short values are not secrets. */
export function registerSecret(value: string): void {
  if (value.length < 4) return
  secrets.add(value)
  secrets.add(Buffer.from(value).toString('base64'))
  secrets.add(encodeURIComponent(value))
}

/** Masks every registered secret, the user part of URLs, and credential-like query values. */
export function redact(text: string): string {
  let out = text
  for (const secret of secrets) out = out.replaceAll(secret, MASK)
  return out
    .replaceAll(/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,512}@/gi, `$1${MASK}@`)
    .replaceAll(/([?&](?:token|access_token|refresh_token|password|signature|sig|x-amz-[a-z-]{1,40})=)[^&\s"']{1,4096}/gi, `$1${MASK}`)
    .replaceAll(/\b(bearer|basic)\s+[\w.~+/=-]{8,8192}/gi, `$1 ${MASK}`)
}

/** Makes text safe for a terminal and a log line: control, bidirectional and invalid characters become \u{…}. */
export function escapeControls(text: string): string {
  // eslint-disable-next-line no-control-regex -- matching control characters is the point
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]/g, (char) =>
    `\\u{${char.codePointAt(0)!.toString(16)}}`,
  )
}
