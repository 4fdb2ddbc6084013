import { readFile, readdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sampleImage, startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { installBundles, type Installed } from '../support/bundles.ts'
import { startLane, type Lane } from '../support/lane.ts'
import { nameOf, type Named } from '../support/sample-set.ts'
import { documents, shell } from '../support/shell.ts'
import { rawManifest } from '../support/skopeo.ts'
import type { Ended } from '../support/run.ts'

const images: readonly Named[] = ['app', 'db'].map((name) => ({
  repository: name,
  tag: '1',
  sample: sampleImage(name),
}))

let installed: Installed
let lane: Lane
let target: DockerRegistry

beforeAll(async () => {
  installed = await installBundles()
  lane = await startLane(images)
  target = await startDockerRegistry()
  await lane.configure(images)
})

afterAll(async () => {
  await installed[Symbol.asyncDispose]()
  await lane[Symbol.asyncDispose]()
  await target.stop()
})

const sh = (script: string, env: Record<string, string> = {}): Promise<Ended> =>
  shell(installed, lane.scratch.path, script, env)

describe('the lane as it is written in the README', () => {
  test('mirrors, keeps the document, pushes and brings a receipt', async () => {
    const ended = await sh(
      `mirror-seq -c imageset-config.yaml --content content | tee seq.json | seq-push - docker://${target.host} --receipt receipt.json`,
    )
    expect(ended.exit, ended.stderr).toBe(0)
    expect(documents(ended)).toMatchObject([
      {
        kind: 'PushReport',
        totals: { images: 2, pushed: 2 },
        result: { ok: true, changed: true, receipt: 'receipt.json' },
      },
    ])
    expect(JSON.parse(await readFile(lane.scratch.at('seq.json'), 'utf8'))).toMatchObject({
      kind: 'Sequence',
      name: 'seq1-baseline',
    })
    expect(JSON.parse(await readFile(lane.scratch.at('receipt.json'), 'utf8'))).toMatchObject({
      kind: 'Receipt',
      chains: [{ head: { sequence_number: 1 } }],
    })
    for (const image of images)
      expect(await rawManifest(`docker://${target.host}/${nameOf(image)}`)).toEqual(
        image.sample.manifest.bytes,
      )
  })

  test('again changes nothing', async () => {
    const ended = await sh(
      `mirror-seq -c imageset-config.yaml --content content | seq-push - docker://${target.host}`,
    )
    expect(ended.exit, ended.stderr).toBe(0)
    expect(documents(ended)).toMatchObject([{ totals: { same: 2 }, result: { ok: true, changed: false } }])
    expect((await readdir(lane.content)).filter((name) => !name.startsWith('.'))).toEqual(['seq1-baseline'])
  })

  test('is read by jq, by seq-meta and from a saved document', async () => {
    expect((await sh(`seq-meta list content | jq -r 'select(.complete).name'`)).stdout.toString()).toBe(
      'seq1-baseline\n',
    )
    expect(
      documents(await sh('mirror-seq -c imageset-config.yaml --content content | seq-meta verify')),
    ).toMatchObject([{ kind: 'Verification', faults: [], missing: [], result: { ok: true } }])
    expect(documents(await sh('seq-meta verify < seq.json'))).toMatchObject([
      { kind: 'Verification', result: { ok: true } },
    ])
    expect(documents(await sh('seq-meta verify seq.json'))).toMatchObject([
      { kind: 'Verification', result: { ok: true } },
    ])
    const yaml = await sh(
      'mirror-seq -c imageset-config.yaml --content content -o yaml | seq-meta show -o yaml',
    )
    expect(yaml.exit, yaml.stderr).toBe(0)
    expect(yaml.stdout.toString()).toContain('kind: Sequence\n')
    expect((await sh('seq-meta list content -o table')).stdout.toString()).toMatch(
      /^NAME +SIZE +TYPE +DATE +NEEDS\nseq1-baseline +\S+ +baseline /,
    )
  })

  test('pushes what it lists, also without an operand', async () => {
    const ended = await sh(`seq-meta list content | seq-push docker://${target.host}/listed`)
    expect(ended.exit, ended.stderr).toBe(0)
    expect(documents(ended)).toMatchObject([{ totals: { images: 2, pushed: 2 } }])
    const layout = await sh('seq-push content/seq1-baseline/seq-metadata.yaml oci:layout')
    expect(documents(layout)).toMatchObject([{ totals: { images: 2, pushed: 2 } }])
  })

  test('takes the configuration from a pipe', async () => {
    const ended = await sh('cat imageset-config.yaml | mirror-seq -c - --content other')
    expect(documents(ended)).toMatchObject([
      { kind: 'Sequence', config_source: 'stdin', result: { changed: true } },
    ])
    expect(await readFile(lane.scratch.at('other/seq1-baseline/imageset-config.yaml'))).toEqual(
      await readFile(lane.config),
    )
  })

  test('says everything for people on stderr, and nothing there with -q', async () => {
    const plain = await sh('mirror-seq -c imageset-config.yaml --content quiet1 --progress plain')
    expect(plain.stderr).toContain('app:1')
    const quiet = await sh('mirror-seq -c imageset-config.yaml --content quiet2 -q')
    expect(quiet.stderr).toBe('')
    expect(documents(quiet)).toHaveLength(1)
    const events = await sh(
      'mirror-seq -c imageset-config.yaml --content quiet3 --progress json --log-format json',
    )
    for (const line of events.stderr.split('\n').filter(Boolean))
      expect(JSON.parse(line)).toBeTypeOf('object')
  })
})

describe('a pipe of which a part fails', () => {
  beforeEach(() =>
    writeFile(
      lane.scratch.at('bad.yaml'),
      `kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  additionalImages:\n    - name: ${lane.source.host}/absent:1\n`,
    ),
  )

  test('ends with the upstream error, and the push takes nothing of it', async () => {
    const ended = await sh(
      `mirror-seq -c bad.yaml --content failing | seq-push - docker://${target.host} --receipt none.json; echo "\${PIPESTATUS[*]}"`,
    )
    expect(ended.stdout.toString().split('\n').at(-2)).toBe('66 66')
    expect(ended.stderr).toContain('REG_MANIFEST_UNKNOWN')
    expect(ended.stderr).toContain('INPUT_REFUSED')
    await expect(readFile(lane.scratch.at('none.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('gives the code of the last part that failed, by pipefail', async () => {
    expect((await sh(`mirror-seq --no-such-flag | cat > /dev/null`)).exit).toBe(64)
    expect((await sh(`mirror-seq -c bad.yaml --content failing | cat > /dev/null`)).exit).toBe(66)
  })

  test('of which the upstream wrote nothing ends with 66 and the reason', async () => {
    const ended = await sh(`mirror-seq --no-such-flag | seq-push - docker://${target.host}`)
    expect(ended.exit).toBe(66)
    expect(ended.stderr).toContain('INPUT_EMPTY')
    expect(ended.stderr).toContain('pipefail')
    expect((await sh(`true | seq-meta verify`)).exit).toBe(66)
  })

  test('refuses a document that says that it failed', async () => {
    const ended = await sh(`jq -c '.result.ok = false' seq.json | seq-push - docker://${target.host}`)
    expect(ended.exit).toBe(66)
    expect(ended.stderr).toContain('INPUT_REFUSED')
  })

  test('refuses a document whose directory holds something else by now', async () => {
    const ended = await sh(
      `jq -c '.result.metadata_digest = "sha256:${'0'.repeat(64)}"' seq.json | seq-push - docker://${target.host}`,
    )
    expect(ended.exit).toBe(82)
    expect(ended.stderr).toContain('DIGEST_MISMATCH')
  })
})
