import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runInProcess, type Ran } from '@carryall/cli/testing'
import { layoutRepository, openLayout } from '@carryall/oci'
import { pushSample, sampleImage } from '@carryall/oci/testing'
import { openSigner } from '@carryall/trust'
import { makeSigner, type TestSigner } from '@carryall/trust/testing'
import { readSmall } from '@carryall/shipment'
import { command } from './command.ts'

let signer: TestSigner
let directory: string

beforeAll(async () => {
  signer = await makeSigner('ops@carryall.example')
  directory = await mkdtemp(join(tmpdir(), 'mirror-sign-'))
  const layout = join(directory, 'layout')
  const store = await openLayout(layout, { write: true })
  for (const tag of ['1', '2']) await pushSample(store, layoutRepository(layout), sampleImage(tag), tag)
  await store.close()
  await configure('1')
})
afterAll(async () => {
  await signer[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const configure = (...tags: readonly string[]) =>
  writeFile(
    join(directory, 'isc.yaml'),
    [
      'kind: ImageSetConfiguration',
      'apiVersion: mirror.openshift.io/v2alpha1',
      'mirror:',
      '  additionalImages:',
      ...tags.map(
        (tag) => `    - { name: 'oci://${join(directory, 'layout')}:${tag}', targetRepo: several }`,
      ),
    ].join('\n'),
  )
const mirror = (content: string, ...argv: readonly string[]): Promise<Ran> =>
  runInProcess(command, ['-c', join(directory, 'isc.yaml'), '--content', join(directory, content), ...argv], {
    cwd: directory,
    env: { HOME: directory },
  })
const signing = () => ['--sign-key', 'ops@carryall.example', '--gpg-home', signer.home]
const only = (ran: Ran) => {
  expect(ran.exit, ran.stderr).toBe(0)
  return ran.documents[0]!['result'] as { changed: boolean; directory: string }
}

test('a sequence appears with its signature, and a run that changes nothing does not sign', async () => {
  const { changed, directory: first } = only(await mirror('content', ...signing()))
  expect(changed).toBe(true)
  const file = join(first, `SHA256SUMS.${signer.fingerprint}.asc`)
  const { hasSigned } = await openSigner({ key: signer.fingerprint, env: signer.env })
  const signature = await readSmall(file)
  expect(await hasSigned(await readSmall(join(first, 'SHA256SUMS')), signature)).toBe(true)

  expect(only(await mirror('content', ...signing()))).toMatchObject({ changed: false, directory: first })
  expect(await readSmall(file)).toEqual(signature)
  // It takes no part in what the sequence is.
  expect(only(await mirror('content'))).toMatchObject({ changed: false, directory: first })
})

test('what was published unsigned stays so, with a warning', async () => {
  const { directory: first } = only(await mirror('unsigned'))
  const again = await mirror('unsigned', ...signing())
  expect(only(again).changed).toBe(false)
  expect(again.stderr).toContain(signer.fingerprint)
  expect((await readdir(first)).filter((name) => name.endsWith('.asc'))).toEqual([])
})

test('a key that is not there stops the run before anything is made, one that fails before anything is published', async () => {
  const unknown = await mirror('none', '--sign-key', 'nobody', '--gpg-home', signer.home)
  expect(unknown.exit, unknown.stderr).toBe(80)
  expect(await readdir(directory)).not.toContain('none')

  await using locked = await makeSigner('locked@carryall.example', { passphrase: 'open sesame' })
  await locked.killAgent()
  const passphrase = join(directory, 'passphrase')
  const argv = ['--sign-key', locked.fingerprint, '--gpg-home', locked.home, '--passphrase-file', passphrase]
  await writeFile(passphrase, 'wrong\n', { mode: 0o600 })
  const refused = await mirror('locked', ...argv)
  expect(refused.exit, refused.stderr).toBe(69)
  expect((await readdir(join(directory, 'locked'))).filter((name) => name.startsWith('seq'))).toEqual([])

  // The next run goes on with what is staged.
  await writeFile(passphrase, 'open sesame\n')
  const { directory: first } = only(await mirror('locked', ...argv))
  expect(await readdir(first)).toContain(`SHA256SUMS.${locked.fingerprint}.asc`)
})
