import { secretForms } from './secret-forms.ts'

const MASK = '***'
const SHORTEST = 4
let forms: readonly string[] = []

/**
 * Remembers a secret of this process, so that `redact` masks it: as it is, in base64 (also inside a longer text that was
 * encoded as one), URL-encoded and as a JSON string. What has fewer than four characters is no secret.
 */
export function registerSecret(value: string): void {
  if (value.length < SHORTEST || forms.includes(value)) return
  // Longest first: masking a short secret inside a long one would leave the rest of the long one readable.
  forms = [...new Set([...forms, ...secretForms(value)])].toSorted((a, b) => b.length - a.length)
}

// `@sha256:` is no user part: `docker://name@sha256:…` is how an image is named.
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#]{1,512}@(?!sha256:)/gi, `$1${MASK}@`],
  [/(?<![\w./-])([\w.+-]{1,64}):[^\s/@"']{1,256}@(?!sha256:)/g, `$1:${MASK}@`],
  [
    /([?&](?:token|access_token|refresh_token|password|signature|sig|x-amz-[a-z-]{1,40})=)[^&\s"']{1,4096}/gi,
    `$1${MASK}`,
  ],
  [
    /("(?:auth|password|secret|token|access_token|refresh_token|identitytoken|registrytoken)"\s{0,8}:\s{0,8}")(?:[^"\\]|\\.){1,8192}/gi,
    `$1${MASK}`,
  ],
  [/\b(authorization\s{0,8}[:=]\s{0,8}(?:[a-z]{1,20}\s{1,8})?)[^\s"',]{4,8192}/gi, `$1${MASK}`],
  // A token has a digit or an upper-case letter after its first character: "basic authentication" is prose.
  [
    /\b([Bb]earer|BEARER|[Bb]asic|BASIC)\s{1,8}(?=[\w.~+/=-][a-z_.~+/=-]{0,64}[A-Z\d])[\w.~+/=-]{8,8192}/g,
    `$1 ${MASK}`,
  ],
]

/** Masks every registered secret, the user part of URLs, and what looks like a credential in headers, queries and JSON. */
export function redact(text: string): string {
  let out = text
  for (const form of forms) out = out.replaceAll(form, MASK)
  for (const [pattern, masked] of PATTERNS) out = out.replaceAll(pattern, masked)
  return out
}
