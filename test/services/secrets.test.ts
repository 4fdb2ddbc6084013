import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sampleImage, startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { installBundles, type Installed } from '../support/bundles.ts'
import { writeConfig } from '../support/config.ts'
import { startGuardedFront, type GuardedFront } from '../support/guarded-front.ts'
import { publishSamples } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { openStores } from '../support/stores.ts'
import { type Watched, watchedRun } from '../support/watched-run.ts'

// With what is written differently in URLs, base64 and JSON.
const canary = (): string => `c4n/${randomBytes(9).toString('base64')}+%&:${randomBytes(9).toString('hex')}=`
const username = 'operator'
const password = canary()
const apiToken = canary()

/** Every spelling in which a secret could turn up. */
const spellings = [password, apiToken].flatMap((secret) => {
  const texts = [secret, `${username}:${secret}`]
  return [
    ...texts.map((text) => Buffer.from(text).toString('base64')),
    ...texts.map((text) => Buffer.from(text).toString('base64url')),
    secret,
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    Buffer.from(secret).toString('hex'),
  ]
})
const leaks = (text: string): readonly string[] => spellings.filter((spelling) => text.includes(spelling))

let registry: DockerRegistry
let front: GuardedFront
let installed: Installed
let scratch: Scratch
/** Where the operator keeps secrets; and where everything else goes. */
let kept: string
let work: string

beforeAll(async () => {
  installed = await installBundles()
  registry = await startDockerRegistry({ relativeUrls: true })
  const stores = await openStores()
  const samples = ['one', 'two'].map((tag) => ({ repository: 'team/app', tag, sample: sampleImage(tag) }))
  await publishSamples(stores.registry(registry.host), samples)
  await stores.close()
})
afterAll(async () => {
  await registry.stop()
  await installed[Symbol.asyncDispose]()
})

beforeEach(async () => {
  scratch = await makeScratch()
  kept = scratch.at('kept')
  work = scratch.at('work')
  for (const directory of [kept, work]) await mkdir(directory)
  front = await startGuardedFront(registry.url, { username, password, apiToken })
  await writeConfig(join(work, 'isc.yaml'), [`${front.host}/team/app:one`, `${front.host}/team/app:two`])
  return async () => {
    await front[Symbol.asyncDispose]()
    await scratch[Symbol.asyncDispose]()
  }
})

async function keep(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(kept, name)
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

interface Given {
  readonly flags: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly typed?: string
}

/** The ways to give a password, `src` or `dest`. */
const ways: Readonly<Record<string, (side: string) => Promise<Given>>> = {
  'an authfile': async () => {
    const auth = Buffer.from(`${username}:${password}`).toString('base64')
    return {
      flags: ['--authfile', await keep('auth.json', JSON.stringify({ auths: { [front.host]: { auth } } }))],
    }
  },
  'a credential helper': async () => {
    const answer = await keep('answer', JSON.stringify({ Username: username, Secret: password }))
    await keep('docker-credential-canary', `#!/bin/sh\ncat '${answer}'\n`, 0o700)
    const config = await keep('config.json', JSON.stringify({ credsStore: 'canary' }))
    return { flags: ['--authfile', config], env: { PATH: `${kept}:${installed.path}` } }
  },
  'a file': async (side) => ({
    flags: [`--${side}-username`, username, `--${side}-password-file`, await keep('password', password)],
  }),
  stdin: async (side) => ({
    flags: [`--${side}-username`, username, `--${side}-password-stdin`],
    stdin: await keep('stdin', `${password}\n`),
  }),
  'the terminal': async (side) => ({ flags: [`--${side}-username`, username], typed: password }),
}

function watch(tool: string, argv: readonly string[], { flags, env, ...input }: Given): Promise<Watched> {
  return watchedRun(
    [process.execPath, installed.bundle(tool), ...argv, ...flags, '--plain-http', front.host, '-v'],
    {
      directory: work,
      env: {
        PATH: installed.path,
        HOME: work,
        CARRYALL_STATE_DIR: join(work, 'state'),
        CARRYALL_API_TOKEN: apiToken,
        CARRYALL_SRC_API_TOKEN: apiToken,
        ...env,
      },
      ...input,
    },
  )
}

/** Everything that a run has left, but for what the operator keeps. */
async function expectNoLeak(ran: Watched): Promise<void> {
  const children = ran.started.slice(1)
  expect({
    argv: leaks(ran.started.map(({ argv }) => argv).join('\n')),
    environment: leaks(children.map(({ environment }) => environment).join('\n')),
    stdout: leaks(ran.stdout),
    stderr: leaks(ran.stderr),
    terminal: leaks(ran.shown),
    abroad: leaks(JSON.stringify(front.abroad.map((seen) => ({ ...seen, body: seen.body.toString() })))),
  }).toEqual({ argv: [], environment: [], stdout: [], stderr: [], terminal: [], abroad: [] })
  const files = (await readdir(work, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  )
  for (const { parentPath, name } of files) {
    // The environment of the tool itself is in the trace; the token was put there.
    if (name === 'trace') continue
    expect({ name, leaks: leaks(await readFile(join(parentPath, name), 'latin1')) }).toEqual({
      name,
      leaks: [],
    })
  }
}

describe.each(['text', 'json'])('with --log-format %s, no secret shows that is given by', (format) => {
  test.each(Object.keys(ways))('%s', async (way) => {
    const logged = ['--log-format', format]
    const read = await watch(
      'mirror-seq',
      ['-c', 'isc.yaml', '--content', 'content', '--mapping', 'mapping.txt', ...logged],
      await ways[way]!('src'),
    )
    expect(read.exit, read.stderr).toBe(0)
    expect(front.abroad.length).toBeGreaterThan(0)
    const written = await watch(
      'seq-push',
      ['content', `docker://${front.host}/far`, '--receipt', 'receipt.json', ...logged],
      await ways[way]!('dest'),
    )
    expect(written.exit, written.stderr).toBe(0)
    expect(front.authorizations()).toContain(
      `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    )
    // Something was started: the locks are held by a program.
    expect(read.started.length).toBeGreaterThan(1)
    for (const ran of [read, written]) await expectNoLeak(ran)
  })

  test('a wrong password that is told to be wrong', async () => {
    const flags = ['--src-username', 'nobody', '--src-password-file', await keep('password', password)]
    const ran = await watch('mirror-seq', ['-c', 'isc.yaml', '--log-format', format], { flags })
    expect(ran.exit, ran.stderr).toBe(77)
    await expectNoLeak(ran)
  })

  test.each(['a file', 'the environment'])('an API token from %s', async (from) => {
    const flags = from === 'a file' ? ['--api-token-file', await keep('token', `${apiToken}\n`)] : []
    const env = from === 'a file' ? { CARRYALL_API_TOKEN: '' } : {}
    const place = `docker://${front.host}/team`
    const ran = await watch('reg-ls', [place, '--api', 'quay', '--log-format', format], { flags, env })
    expect(front.authorizations()).toContain(`Bearer ${apiToken}`)
    await expectNoLeak(ran)
  })
})
