import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CarryallError } from './carryall-error.ts'
import type { ErrorCode } from './codes.ts'
import { fromSystemError } from './system-error.ts'

const folder = fs.mkdtempSync(join(tmpdir(), 'carryall-errno-'))
afterAll(() => fs.rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

function file(name: string): string {
  fs.writeFileSync(at(name), 'x')
  return at(name)
}

const REAL: readonly (readonly [errno: string, code: ErrorCode, exit: number, provoke: () => unknown])[] = [
  ['ENOENT', 'INPUT_NOT_FOUND', 66, () => fs.readFileSync(at('missing'))],
  ['ENOTDIR', 'INPUT_NOT_FOUND', 66, () => fs.readFileSync(join(file('plain'), 'below'))],
  ['EISDIR', 'INPUT_NOT_FOUND', 66, () => fs.readFileSync(folder)],
  ['EACCES', 'PERMISSION_DENIED', 77, () => fs.accessSync(file('not executable'), fs.constants.X_OK)],
  ['EPERM', 'PERMISSION_DENIED', 77, () => fs.linkSync(folder, at('link'))],
  ['EEXIST', 'OUTPUT_EXISTS', 73, () => fs.mkdirSync(file('there'))],
  ['ENOTEMPTY', 'OUTPUT_EXISTS', 73, () => (file('full'), fs.rmdirSync(folder))],
  ['ENOSPC', 'IO_NO_SPACE', 74, () => fs.writeFileSync('/dev/full', 'x')],
  ['EFBIG', 'IO_NO_SPACE', 74, () => fs.truncateSync(file('big'), Number.MAX_SAFE_INTEGER)],
  ['EIO', 'IO_FAILED', 74, () => fs.readFileSync('/proc/self/mem')],
  ['EBADF', 'IO_FAILED', 74, () => fs.fsyncSync(1_000_000)],
  ['ENAMETOOLONG', 'IO_FAILED', 74, () => fs.readFileSync(at('x'.repeat(300)))],
  ['ELOOP', 'IO_FAILED', 74, () => (fs.symlinkSync('loop', at('loop')), fs.readFileSync(at('loop')))],
  ['EINVAL', 'IO_FAILED', 74, () => fs.readlinkSync(folder)],
]

test.each(REAL)('%s of a real system call becomes %s, exit %i', (errno, code, exit, provoke) => {
  const thrown = caught(provoke)
  expect(thrown).toMatchObject({ code: errno })
  const error = fromSystemError(thrown, 'write content/x', { subject: { kind: 'file', name: 'content/x' } })
  expect(error).toBeInstanceOf(CarryallError)
  expect(error).toMatchObject({ code, exit, cause: thrown, details: { subject: { name: 'content/x' } } })
  expect((error as Error).message).toMatch(new RegExp(`^Cannot write content/x: [a-z].* \\(${errno}\\)$`))
})

// What cannot be had without spoiling the host, the kernel's answer is replaced for.
test.each<[string, ErrorCode, number]>([
  ['EROFS', 'OUTPUT_NOT_WRITABLE', 73],
  ['EDQUOT', 'IO_NO_SPACE', 74],
  ['EMFILE', 'OS_LIMIT', 71],
  ['ENFILE', 'OS_LIMIT', 71],
  ['ENOMEM', 'OS_LIMIT', 71],
  ['EAGAIN', 'OS_LIMIT', 71],
  ['ESTALE', 'IO_FAILED', 74],
])('%s, injected into a system call, becomes %s, exit %i', (errno, code, exit) => {
  const target = at('injected')
  const source = `
    import { mkdirSync } from 'node:fs'
    import { fromSystemError } from ${JSON.stringify(join(import.meta.dirname, 'system-error.ts'))}
    try { mkdirSync(${JSON.stringify(target)}) } catch (thrown) {
      const { code, exit, message, details } = fromSystemError(thrown, 'make it')
      console.log(JSON.stringify({ code, exit, message, hint: details.hint }))
    }`
  const inject = ['-f', '-qq', '-o', at('trace'), '-P', target, '-e', `inject=mkdir,mkdirat:error=${errno}`]
  const stdout = execFileSync('strace', [...inject, process.execPath, '--input-type=module', '-e', source])
  expect(fs.readFileSync(at('trace'), 'utf8')).toMatch(/INJECTED/)
  const shown = JSON.parse(stdout.toString()) as { message: string; hint?: string }
  expect(shown).toMatchObject({ code, exit })
  expect(shown.message).toContain(errno)
  expect(shown.hint === undefined).toBe(code === 'IO_FAILED')
})

test('the hint and the details that are given win', () => {
  const thrown = caught(() => fs.writeFileSync('/dev/full', 'x'))
  expect(fromSystemError(thrown, 'x', { hint: 'Mine' })).toMatchObject({ details: { hint: 'Mine' } })
  expect(fromSystemError(thrown, 'x')).toMatchObject({ details: { hint: expect.stringMatching(/space/i) } })
})

test.each([
  ['our own errors', new CarryallError('SEQ_GAP', 'Cannot apply seq4')],
  ['bugs', new TypeError('x is not a function')],
  [
    'errors of Node with a code but without a number',
    Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG' }),
  ],
  ['what is not an error', { code: 'ENOENT', errno: -2 }],
  ['undefined', undefined],
  ['null', null],
])('fromSystemError() passes on %s as they are', (_what, thrown) => {
  expect(fromSystemError(thrown, 'x')).toBe(thrown)
})

function caught(provoke: () => unknown): unknown {
  try {
    provoke()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
