import { expect, test } from 'vitest'
import { type RefusedWrite, writeRefusal } from './write-refusal.ts'

const UPLOADS = '/v2/ns/app/blobs/uploads/'
const MANIFEST = '/v2/ns/app/manifests/v1'

const judge = (status: number, body: string | object, more: Partial<RefusedWrite> = {}) =>
  writeRefusal({
    method: 'POST',
    path: UPLOADS,
    repository: 'ns/app',
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...more,
  })

const says = (code: string, message: string, detail: unknown = {}) => ({
  errors: [{ code, message, detail }],
})

test.each<[string, number, string | object, object]>([
  [
    'docker-registry, while it writes',
    500,
    says('UNKNOWN', 'unknown error', 'write /data/x/data: no space left on device'),
    { code: 'REG_DISK_FULL', concerns: 'registry' },
  ],
  [
    'docker-registry, by the number of the error',
    500,
    says('UNKNOWN', 'unknown error', {
      DriverName: 'filesystem',
      Enclosed: { Op: 'mkdir', Path: '/d', Err: 28 },
    }),
    { code: 'REG_DISK_FULL', concerns: 'registry' },
  ],
  ['WebDAV’s status', 507, '', { code: 'REG_DISK_FULL', concerns: 'registry' }],
  [
    'a disk that is mounted read-only',
    500,
    says('UNKNOWN', 'unknown error', { Op: 'mkdir', Path: '/d', Err: 30 }),
    { code: 'REG_READ_ONLY', concerns: 'registry' },
  ],
  [
    'Quay’s quota',
    403,
    says('DENIED', 'Quota has been exceed on namespace'),
    { code: 'REG_QUOTA_EXCEEDED', concerns: 'namespace' },
  ],
  [
    'Harbor’s quota',
    403,
    says(
      'DENIED',
      'adding 20.3 MiB of storage resource, which when updated to current usage of 300.0 GiB will exceed the configured upper limit of 300.0 GiB.',
    ),
    { code: 'REG_QUOTA_EXCEEDED' },
  ],
  ['413 for a quota', 413, says('DENIED', 'storage quota exceeded'), { code: 'REG_QUOTA_EXCEEDED' }],
  [
    'Quay in read-only mode',
    405,
    says(
      'DENIED',
      'System is currently read-only. Pulls will succeed but all write operations are currently suspended.',
    ),
    { code: 'REG_READ_ONLY', concerns: 'registry' },
  ],
  [
    'Harbor in read-only mode',
    403,
    says('DENIED', 'The system is in read only mode. Any modification is prohibited.'),
    { code: 'REG_READ_ONLY', concerns: 'registry' },
  ],
  [
    'a repository of Quay that is read-only',
    405,
    { error: 'ns/app is in read-only mode.' },
    { code: 'REG_READ_ONLY', concerns: 'repository' },
  ],
  [
    'a repository of Quay that is a mirror',
    405,
    'Repository ns/app is a mirror. Mirrored repositories cannot be modified directly.',
    { code: 'REG_READ_ONLY', concerns: 'repository' },
  ],
  ['503 for maintenance', 503, 'read-only for maintenance', { code: 'REG_READ_ONLY' }],
  ['a proxy cache', 405, says('UNSUPPORTED', 'The operation is unsupported.'), { code: 'REG_READ_ONLY' }],
])('%s', (_name, status, body, expected) => {
  expect(judge(status, body)).toEqual(expected)
})

test('docker-registry under maintenance, by the methods that are left', () => {
  for (const path of [`${UPLOADS}?mount=sha256:0&from=a`, MANIFEST])
    expect(judge(405, 'Method not allowed\n', { method: 'PUT', path, allow: 'GET, HEAD' })).toEqual({
      code: 'REG_READ_ONLY',
    })
})

test.each<[string, number, string | object, Partial<RefusedWrite>?]>([
  ['no right to push', 403, says('DENIED', 'requested access to the resource is denied')],
  ['a right to read only', 403, says('DENIED', 'the token is read-only')],
  ['a robot of Harbor', 403, says('DENIED', 'robot account has read only permission')],
  ['a blob that is too large', 413, '<html>Request Entity Too Large</html>'],
  ['a limit of requests', 429, says('TOOMANYREQUESTS', 'quota exceeded: requests per minute')],
  ['an error of the storage', 500, says('UNKNOWN', 'unknown error', { Op: 'write', Err: 5 })],
  ['a number that only begins like it', 500, says('UNKNOWN', 'unknown error', { Op: 'write', Err: 281 })],
  [
    'a mount that is not supported',
    405,
    says('UNSUPPORTED', 'no'),
    { path: `${UPLOADS}?mount=sha256:0&from=a` },
  ],
  [
    'a PUT of all bytes that is not supported',
    405,
    says('UNSUPPORTED', 'no'),
    { method: 'PUT', path: `${UPLOADS}1?_state=x` },
  ],
  ['deletion that is switched off', 405, says('UNSUPPORTED', 'no'), { method: 'DELETE', path: MANIFEST }],
  ['a method that is not known', 405, '', { method: 'DELETE', path: MANIFEST, allow: 'GET, HEAD, PUT' }],
  [
    'an immutable tag',
    412,
    says('PRECONDITION', 'configured as immutable'),
    { method: 'PUT', path: MANIFEST },
  ],
])('%s is something else', (_name, status, body, more = {}) => {
  expect(judge(status, body, more)).toBeUndefined()
})
