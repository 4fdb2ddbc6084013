import { expect, test } from 'vitest'
import { route } from './route.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const ID = '0b8e7a3c-0000-4000-8000-0123456789ab'

test.each([
  ['/v2/', { kind: 'base' }],
  ['/v2', { kind: 'base' }],
  ['/v2/_catalog', { kind: 'catalog' }],
  ['/v2/a/b/tags/list', { kind: 'tags', repository: 'a/b' }],
  ['/v2/a/manifests/v1', { kind: 'manifest', repository: 'a', reference: 'v1' }],
  [`/v2/a/manifests/${DIGEST}`, { kind: 'manifest', repository: 'a', reference: DIGEST }],
  [`/v2/a/blobs/${DIGEST.replace(':', '%3A')}`, { kind: 'blob', repository: 'a', digest: DIGEST }],
  [`/v2/a/referrers/${DIGEST}`, { kind: 'referrers', repository: 'a', digest: DIGEST }],
  ['/v2/a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
  ['/v2/a/blobs/uploads', { kind: 'uploads', repository: 'a' }],
  [`/v2/a/blobs/uploads/${ID}`, { kind: 'upload', repository: 'a', id: ID }],
  [
    `/v2/a/blobs/sha512:${'ab'.repeat(64)}`,
    { kind: 'blob', repository: 'a', digest: `sha512:${'ab'.repeat(64)}` },
  ],
  ['/v2/a/blobs/blake3+x:ab', { kind: 'blob', repository: 'a', digest: 'blake3+x:ab' }],
  ['/v2/a/manifests/tags/list', { kind: 'tags', repository: 'a/manifests' }],
  ['/v2/a/tags/list/manifests/list', { kind: 'manifest', repository: 'a/tags/list', reference: 'list' }],
  [`/v2/a/blobs/uploads/blobs/${DIGEST}`, { kind: 'blob', repository: 'a/blobs/uploads', digest: DIGEST }],
  ['/v2/a/blobs/uploads/tags/list', { kind: 'tags', repository: 'a/blobs/uploads' }],
])('%s', (path, expected) => {
  expect(route(path)).toEqual(expected)
})

test.each([
  ['/', 404, 'UNSUPPORTED'],
  ['/v1/', 404, 'UNSUPPORTED'],
  ['/v2/a', 404, 'UNSUPPORTED'],
  ['/v2/a/tags/all', 404, 'UNSUPPORTED'],
  ['/v2/manifests/v1', 404, 'UNSUPPORTED'],
  ['/v2/Upper/manifests/v1', 400, 'NAME_INVALID'],
  ['/v2/a/../b/manifests/v1', 400, 'NAME_INVALID'],
  ['/v2/a%2F..%2Fb/tags/list', 400, 'NAME_INVALID'],
  [`/v2/${'a'.repeat(256)}/tags/list`, 400, 'NAME_INVALID'],
  ['/v2/%E0/tags/list', 400, 'NAME_INVALID'],
  ['/v2/a/manifests/-v1', 400, 'NAME_INVALID'],
  ['/v2/a/manifests/sha256:', 400, 'DIGEST_INVALID'],
  ['/v2/a/blobs/sha256:short', 400, 'DIGEST_INVALID'],
  [`/v2/a/blobs/sha512:${'ab'.repeat(32)}`, 400, 'DIGEST_INVALID'],
  [`/v2/a/referrers/${DIGEST.toUpperCase()}`, 400, 'DIGEST_INVALID'],
  ['/v2/a/blobs/latest', 400, 'DIGEST_INVALID'],
  ['/v2/a/blobs/sha256:..%2F..%2Findex.json', 404, 'UNSUPPORTED'],
  ['/v2/a/blobs/uploads/1', 404, 'BLOB_UPLOAD_UNKNOWN'],
])('%s is refused', (path, status, code) => {
  expect(() => route(path)).toThrow(expect.objectContaining({ status, code }))
})
