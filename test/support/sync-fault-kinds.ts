import { comeAgain, diskFull, type Fault, outOfRange, OVER_QUOTA, READ_ONLY, refusing } from './faults.ts'
import type { Phase } from './proxied.ts'

/** What a run is doing when something goes wrong. */
export type SyncPhase = 'listing' | 'reading' | 'uploading' | 'manifests'

/**
 * How a run ends. `one`: the image that met the fault fails, the others are copied. `all`: the run ends, or none is copied.
 * `spreads`: it fails for the one, and may fail for the others.
 */
export interface SyncEnd {
  readonly fails: 'one' | 'all' | 'spreads'
  readonly exit: number
  readonly code: string
}

/** A fault, how often it happens, and how a run ends in each phase; where nothing is said all is copied. */
export interface FaultKind extends Readonly<Partial<Record<SyncPhase, SyncEnd>>> {
  readonly kind: string
  readonly fault: Fault
  /** It does not pass: every request of the one image meets it. */
  readonly stays?: true
  /** It exists in these phases only. */
  readonly phases?: readonly SyncPhase[]
  /** And for these requests only. */
  readonly requests?: readonly Phase[]
  /** Of `--api-timeout`. */
  readonly timeout?: string
}

const end =
  (fails: SyncEnd['fails']) =>
  (exit: number, code: string): SyncEnd => ({ fails, exit, code })
const one = end('one')
const all = end('all')
const spreads = end('spreads')

const every = (
  listing: SyncEnd,
  reading = listing,
  uploading = reading,
  manifests = uploading,
): Readonly<Record<SyncPhase, SyncEnd>> => ({ listing, reading, uploading, manifests })

const NO_DIGEST = `sha256:${'0'.repeat(64)}`
const ELSEWHERE = 'http://127.0.0.2:9'
const GARBLED = all(76, 'REG_PROTOCOL')
const WRONG = one(82, 'DIGEST_MISMATCH')
const AWAY = one(1, 'NET_UNAVAILABLE')
const REFUSED = one(1, 'REG_REFUSED')
const NOBODY = one(1, 'AUTH_REQUIRED')
const DENIED = one(1, 'AUTH_DENIED')
const LURED = one(76, 'NET_ORIGIN_REFUSED')
const UNPROVEN = one(82, 'REG_VERIFY_AFTER_PUSH')

const passing: readonly FaultKind[] = [
  { kind: 'an answer that comes late', fault: { fault: 'delay', ms: 30 } },
  { kind: 'a reset at once', fault: { fault: 'reset', after: 0 } },
  { kind: 'a reset in the middle', fault: { fault: 'reset', after: 10 } },
  { kind: 'an end too early', fault: { fault: 'truncate', after: 10 } },
  { kind: 'a length too long', fault: { fault: 'length', length: 100_000 } },
  {
    kind: 'an end within a chunk, the other headers lost',
    fault: { fault: 'chunk', after: 10 },
    // There is nowhere to upload to.
    uploading: one(76, 'REG_PROTOCOL'),
  },
  {
    kind: 'a shorter body',
    fault: { fault: 'truncate', after: 10, honest: true },
    listing: GARBLED,
    reading: WRONG,
  },
  { kind: 'other bytes', fault: { fault: 'bytes' }, listing: GARBLED, reading: WRONG },
  { kind: 'bytes too many', fault: { fault: 'extra', count: 10 }, listing: GARBLED, reading: WRONG },
  {
    kind: 'a digest that is a lie',
    fault: { fault: 'digest', digest: NO_DIGEST },
    reading: WRONG,
    manifests: WRONG,
  },
  { kind: 'a request that is dropped', fault: { fault: 'drop', after: 0 } },
  { kind: 'an answer that is lost', fault: { fault: 'lost-reply' } },
  { kind: 'silence', fault: { fault: 'stall', after: 5 }, timeout: '1s' },
  { kind: '408', fault: comeAgain(408, 'negative') },
  {
    kind: '429 with a wait of none',
    fault: { fault: 'status', status: 429, headers: { 'retry-after': '0' } },
  },
  { kind: '429 with nonsense', fault: comeAgain(429, 'garbage') },
  { kind: '500', fault: refusing(500, 'UNKNOWN') },
  { kind: '502 of a proxy', fault: { fault: 'status', status: 502, text: '<html>bad gateway' } },
  { kind: '503 with a wait that is negative', fault: comeAgain(503, 'negative') },
  { kind: '504', fault: refusing(504, 'UNKNOWN') },
  {
    kind: 'an upload that is lost',
    fault: { fault: 'lost-upload' },
    phases: ['uploading'],
    requests: ['upload-patch', 'upload-put'],
  },
  {
    kind: 'a tag that is seen late',
    fault: { fault: 'late', ms: 60_000 },
    phases: ['manifests'],
    requests: ['read-back'],
  },
  {
    kind: '404 for a moment',
    fault: refusing(404, 'MANIFEST_UNKNOWN'),
    listing: all(69, 'REG_REFUSED'),
    // What is in the list of tags is not gone.
    reading: one(1, 'REG_MANIFEST_UNKNOWN'),
    manifests: REFUSED,
  },
  {
    kind: '401 for nobody',
    fault: { fault: 'expired' },
    ...every(all(77, 'AUTH_REQUIRED'), NOBODY),
  },
]

const lasting: readonly FaultKind[] = [
  { kind: 'resets', fault: { fault: 'reset', after: 10 }, listing: AWAY, reading: AWAY, manifests: AWAY },
  {
    kind: 'ends too early',
    fault: { fault: 'truncate', after: 10 },
    listing: AWAY,
    reading: AWAY,
    manifests: AWAY,
  },
  {
    kind: 'shorter bodies',
    fault: { fault: 'truncate', after: 10, honest: true },
    listing: GARBLED,
    reading: WRONG,
    manifests: WRONG,
  },
  {
    kind: 'other bytes, always',
    fault: { fault: 'bytes' },
    listing: GARBLED,
    reading: WRONG,
    manifests: UNPROVEN,
  },
  {
    kind: 'bytes too many, always',
    fault: { fault: 'extra', count: 10 },
    listing: GARBLED,
    reading: WRONG,
    manifests: UNPROVEN,
  },
  {
    kind: 'digests that are lies',
    fault: { fault: 'digest', digest: NO_DIGEST },
    reading: WRONG,
    uploading: WRONG,
    manifests: WRONG,
  },
  { kind: '401, always', fault: { fault: 'expired' }, ...every(NOBODY) },
  // Who names another token server once is not asked again.
  {
    kind: 'a token server elsewhere',
    fault: { fault: 'realm', to: `${ELSEWHERE}/token` },
    ...every(all(76, 'NET_ORIGIN_REFUSED'), spreads(76, 'NET_ORIGIN_REFUSED')),
  },
  {
    kind: 'redirects elsewhere',
    fault: { fault: 'redirect', to: `${ELSEWHERE}/x` },
    // Nobody is there; and what writes does not follow.
    ...every(AWAY, AWAY, one(76, 'REG_PROTOCOL')),
  },
  {
    kind: 'links and locations elsewhere',
    fault: { fault: 'foreign', to: ELSEWHERE },
    listing: all(76, 'NET_ORIGIN_REFUSED'),
    uploading: LURED,
  },
  { kind: '400', fault: refusing(400, 'UNSUPPORTED'), ...every(REFUSED) },
  { kind: '403', fault: refusing(403, 'DENIED'), ...every(DENIED) },
  {
    kind: '404, always',
    fault: refusing(404, 'NAME_UNKNOWN'),
    // A repository that is in the catalog and has no tags.
    reading: one(1, 'REG_MANIFEST_UNKNOWN'),
    uploading: REFUSED,
    manifests: REFUSED,
    phases: ['reading', 'uploading', 'manifests'],
  },
  { kind: '416', fault: outOfRange(5), ...every(REFUSED) },
  { kind: '429, always', fault: refusing(429, 'TOOMANYREQUESTS'), ...every(one(1, 'NET_RATE_LIMITED')) },
  { kind: '500, always', fault: refusing(500, 'UNKNOWN'), ...every(AWAY) },
  { kind: '503, always', fault: refusing(503, 'UNAVAILABLE'), ...every(AWAY) },
  { kind: 'a quota in words of no registry', fault: OVER_QUOTA, ...every(DENIED) },
  { kind: 'maintenance', fault: READ_ONLY, ...every(REFUSED, REFUSED, one(77, 'REG_READ_ONLY')) },
  {
    kind: 'a full disk',
    fault: diskFull(500),
    // Others may have got through before.
    ...every(AWAY, AWAY, spreads(69, 'REG_DISK_FULL')),
  },
  {
    kind: 'the page of a portal',
    fault: { fault: 'status', status: 200, text: '<html>log in' },
    ...every(GARBLED, one(76, 'REG_UNSUPPORTED_MANIFEST'), one(76, 'REG_PROTOCOL'), UNPROVEN),
  },
]

/** Every fault that a registry, or what stands before it, is known for. */
export const FAULT_KINDS: readonly FaultKind[] = [
  ...passing,
  ...lasting.map((kind) => ({ ...kind, stays: true as const })),
]
