import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DockerRegistry, startDockerRegistry } from '../../shared/oci/src/testing/docker-registry.ts'
import type { Side } from './contest.ts'
import { dataSets, type ImageSpec, type SetName } from './data-set.ts'
import { measured } from './measured.ts'
import type { Stage } from './stage.ts'
import { watchRegistry } from './watch-registry.ts'

const QUIET = ['-q', '--progress', 'none'] as const

/** `mirror-seq` of the first version of a set into an empty content directory. */
export async function ownMirror(stage: Stage, set: SetName, tls = false): Promise<Side> {
  const registry = await stage.source(set, { tls })
  return {
    name: 'mirror-seq',
    run: async () => {
      const output = await stage.fresh('output')
      const served = await watchRegistry(registry)
      const usage = await measured(
        await mirrorCommand(stage, registry, dataSets[set].images, join(output, 'content')),
        stage,
      )
      return { ...usage, source: await served() }
    },
  }
}

/** `skopeo copy docker:// oci-archive:`, one image after the other. */
export async function skopeoPull(stage: Stage, set: SetName, tls = false): Promise<Side> {
  const registry = await stage.source(set, { tls })
  return {
    name: 'skopeo',
    run: async () => {
      const output = await stage.fresh('output')
      await stage.fresh('home')
      const command = await pullCommand(stage, registry, set, output)
      const served = await watchRegistry(registry)
      return { ...(await measured(command, stage)), source: await served() }
    },
  }
}

/** `seq-push` of a sequence with a set into an empty registry. */
export async function ownPush(stage: Stage, set: SetName, tls = false): Promise<Side> {
  const content = await contentOf(stage, set)
  return {
    name: 'seq-push',
    run: () =>
      intoEmpty(stage, tls, (registry) => {
        const trust = registry.certificates ? ['--dest-ca-file', registry.certificates.ca] : []
        return Promise.resolve(
          stage.own('seq-push', ...QUIET, ...trust, content, `docker://${registry.host}`),
        )
      }),
  }
}

/** `skopeo copy oci-archive: docker://`, one image after the other, into an empty registry. */
export async function skopeoPush(stage: Stage, set: SetName, tls = false): Promise<Side> {
  const archives = join(stage.scratch, `archives-${set}`)
  const source = await stage.source(set)
  await stage.fresh(`archives-${set}`)
  await measured(await pullCommand(stage, source, set, archives), stage)
  return {
    name: 'skopeo',
    run: async () => {
      await stage.fresh('home')
      return intoEmpty(stage, tls, async (registry) => {
        const trust = await trustOf(stage, registry, 'dest')
        const copies = dataSets[set].images.map((image) => [
          ...skopeo(stage, ...trust),
          `oci-archive:${archiveOf(image, archives)}:${image.tag}`,
          `docker://${registry.host}/${image.repository}:${image.tag}`,
        ])
        return stage.script('push', copies)
      })
    },
  }
}

/** `mirror-seq` of the first version of a set, and then of the next one into the same content directory. */
export async function ownVersions(
  stage: Stage,
  set: SetName,
): Promise<{ readonly full: Side; readonly differential: Side }> {
  const registry = await stage.source(set)
  const run = async (images: readonly ImageSpec[], content: string) => {
    const served = await watchRegistry(registry)
    const usage = await measured(await mirrorCommand(stage, registry, images, content), stage)
    return { ...usage, source: await served() }
  }
  const first = join(await stage.fresh('first'), 'content')
  await run(dataSets[set].images, first)
  return {
    full: {
      name: 'full run',
      run: async () => run(dataSets[set].next, join(await stage.fresh('output'), 'content')),
    },
    differential: {
      name: 'mirror-seq',
      run: async () => {
        const content = join(await stage.fresh('output'), 'content')
        await cp(first, content, { recursive: true })
        const served = await watchRegistry(registry)
        const command = await mirrorCommand(stage, registry, dataSets[set].next, content, '--take-over')
        return { ...(await measured(command, stage)), source: await served() }
      },
    },
  }
}

/** A content directory whose one sequence holds a set. */
export async function contentOf(stage: Stage, set: SetName): Promise<string> {
  const content = join(stage.scratch, `content-${set}`)
  const made = await readdir(content).catch(() => [])
  if (made.length === 0) {
    await measured(await mirrorCommand(stage, await stage.source(set), dataSets[set].images, content), stage)
  }
  return content
}

async function mirrorCommand(
  stage: Stage,
  registry: DockerRegistry,
  images: readonly ImageSpec[],
  content: string,
  ...flags: readonly string[]
): Promise<readonly string[]> {
  const config = await stage.configuration('imageset-config', registry.host, images)
  const trust = registry.certificates ? ['--src-ca-file', registry.certificates.ca] : []
  return stage.own('mirror-seq', ...QUIET, ...trust, ...flags, '-c', config, '--content', content)
}

async function pullCommand(
  stage: Stage,
  registry: DockerRegistry,
  set: SetName,
  output: string,
): Promise<readonly string[]> {
  const trust = await trustOf(stage, registry, 'src')
  const copies = dataSets[set].images.map((image) => [
    ...skopeo(stage, ...trust),
    `docker://${registry.host}/${image.repository}:${image.tag}`,
    `oci-archive:${archiveOf(image, output)}:${image.tag}`,
  ])
  return stage.script('pull', copies)
}

function skopeo(stage: Stage, ...flags: readonly string[]): readonly string[] {
  return ['skopeo', '--insecure-policy', '--tmpdir', join(stage.scratch, 'tmp'), 'copy', '-q', ...flags]
}

function archiveOf({ repository, tag }: ImageSpec, directory: string): string {
  return join(directory, `${repository.replaceAll('/', '_')}_${tag}.tar`)
}

async function trustOf(
  stage: Stage,
  { certificates }: DockerRegistry,
  side: 'src' | 'dest',
): Promise<readonly string[]> {
  if (certificates === undefined) return [`--${side}-tls-verify=false`]
  const directory = await stage.fresh(`certificates-${side}`)
  await cp(certificates.ca, join(directory, 'ca.crt'))
  return [`--${side}-cert-dir`, directory]
}

async function intoEmpty(
  stage: Stage,
  tls: boolean,
  commandFor: (registry: DockerRegistry) => Promise<readonly string[]>,
): ReturnType<Side['run']> {
  await using registry = await startDockerRegistry({ storage: await stage.fresh('output'), tls })
  const command = await commandFor(registry)
  const served = await watchRegistry(registry)
  return { ...(await measured(command, stage)), destination: await served() }
}
