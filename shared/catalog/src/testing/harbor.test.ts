import { pushSample, sampleArtifact, sampleImage, sampleIndex } from '@carryall/oci/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { driveWith, type Driver } from './drive.ts'
import { type FakeHarbor, type HarborOptions, startHarbor } from './harbor.ts'

const image = sampleImage('harbor')
const other = sampleImage('other')
const list = sampleIndex([image, sampleImage('harbor-arm', { architecture: 'arm64' })])

let harbor: FakeHarbor
let driver: Driver

const start = async (options: HarborOptions = {}) => {
  harbor = await startHarbor(options)
  driver = await driveWith(harbor, harbor.robot)
}
const stop = async () => {
  await driver[Symbol.asyncDispose]()
  await harbor[Symbol.asyncDispose]()
}
const restart = async (options: HarborOptions) => {
  await stop()
  await start(options)
}
const push = (repository: string, tag?: string, sample = image) =>
  pushSample(driver.registry, repository, sample, tag)
const basic = ({ username, password }: { readonly username: string; readonly password: string }) => ({
  authorization: `Basic ${btoa(`${username}:${password}`)}`,
})
const api = (path: string, headers: Record<string, string> = basic(harbor.robot)) =>
  fetch(`${harbor.url}/api/v2.0/${path}`, { headers })
const read = async <T>(path: string) => (await (await api(path)).json()) as T
const names = async (path: string) => (await read<readonly { name: string }[]>(path)).map(({ name }) => name)
const errorOf = async (answer: Response) => [
  answer.status,
  ((await answer.json()) as { errors: readonly { code: string }[] }).errors[0]!.code,
]

beforeEach(() => start())
afterEach(() => stop())

describe('the registry', () => {
  test('takes images of our client and gives them to skopeo, which brings them back with the same digest', async () => {
    await push('library/deep/app', '1.0', list)
    const from = `docker://${harbor.host}/library/deep/app:1.0`
    await driver.skopeo('copy', '--all', '--preserve-digests', from, `docker://${harbor.host}/library/new:2`)
    expect((await driver.registry.manifest('library/new', '2')).bytes).toEqual(list.manifest.bytes)
    expect(await Array.fromAsync(driver.registry.tags('library/new'))).toEqual(['2'])
    const granted = harbor.requests.filter(({ path }) => path.startsWith('/service/token'))
    expect(granted.length).toBeGreaterThan(0)
  })

  test('has referrers', async () => {
    await push('library/app', '1')
    const artifact = sampleArtifact('signature', image.descriptor)
    await push('library/app', undefined, artifact)
    expect(await driver.registry.referrers('library/app', image.manifest.digest)).toMatchObject([
      { digest: artifact.manifest.digest },
    ])
    expect(await Array.fromAsync(driver.registry.tags('library/app'))).toEqual(['1'])
  })

  test('wants a login for public projects, too, and shows them to everybody who asks for a token', async () => {
    await push('library/app', '1')
    harbor.setProject('library', { public: true })
    const url = `${harbor.url}/v2/library/app/tags/list`
    expect((await fetch(url)).headers.get('www-authenticate')).toContain(
      'scope="repository:library/app:pull"',
    )
    const { token, expires_in: life } = (await (
      await fetch(`${harbor.url}/service/token?scope=repository:library/app:pull`)
    ).json()) as { token: string; expires_in: number }
    expect(life).toBe(1800)
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  })

  test('gives its catalog to administrators only, by Basic', async () => {
    await push('library/app', '1')
    const url = `${harbor.url}/v2/_catalog`
    for (const headers of [{}, basic(harbor.robot)]) {
      const answer = await fetch(url, { headers })
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="harbor"'])
    }
    expect(await (await fetch(url, { headers: basic(harbor.admin) })).json()).toEqual({
      repositories: ['library/app'],
    })
  })

  test('pages tags by n and last, by a relative link', async () => {
    for (const tag of ['a', 'b', 'c']) await push('library/app', tag)
    const headers = basic(harbor.robot)
    const first = await fetch(`${harbor.url}/v2/library/app/tags/list?n=2`, { headers })
    expect(await first.json()).toEqual({ name: 'library/app', tags: ['a', 'b'] })
    const link = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1]
    expect(link).toBe('/v2/library/app/tags/list?n=2&last=b')
    const second = await fetch(harbor.url + link!, { headers })
    expect(await second.json()).toMatchObject({ tags: ['c'] })
    expect(second.headers.get('link')).toBeNull()
  })

  test('refuses a tag that is immutable with 412, even with its own digest', async () => {
    harbor.setProject('library', { immutable: [{ repository: '**', tag: 'v*' }] })
    await push('library/app', 'v1')
    for (const sample of [image, other])
      await expect(push('library/app', 'v1', sample)).rejects.toMatchObject({ code: 'TAG_CONFLICT' })
    expect(harbor.requests.at(-1)).toMatchObject({ status: 412, method: 'PUT' })
    await push('library/app', 'latest')
    const url = `${harbor.url}/v2/library/app/manifests/${image.manifest.digest}`
    const deleted = await fetch(url, { method: 'DELETE', headers: basic(harbor.robot) })
    expect(await errorOf(deleted)).toEqual([412, 'PRECONDITION'])
  })

  test('refuses a push to a proxy cache, to no project, and beyond the quota', async () => {
    harbor.setProject('cache', { proxyCache: true })
    harbor.setProject('full', { quota: 0 })
    const post = (repository: string) =>
      fetch(`${harbor.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers: basic(harbor.robot) })
    expect(await errorOf(await post('cache/app'))).toEqual([403, 'DENIED'])
    expect(await errorOf(await post('full/app'))).toEqual([403, 'DENIED'])
    expect(await errorOf(await post('none/app'))).toEqual([401, 'UNAUTHORIZED'])
  })

  test('deletes by digest only', async () => {
    await push('library/app', '1')
    const remove = (reference: string) =>
      fetch(`${harbor.url}/v2/library/app/manifests/${reference}`, {
        method: 'DELETE',
        headers: basic(harbor.robot),
      })
    expect(await errorOf(await remove('1'))).toEqual([400, 'UNSUPPORTED'])
    expect((await remove(image.manifest.digest)).status).toBe(202)
    expect(await Array.fromAsync(driver.registry.tags('library/app'))).toEqual([])
  })
})

describe('API v2.0', () => {
  test('takes accounts of the registry, and shows others what is public', async () => {
    harbor.setProject('open', { public: true })
    expect(await names('projects')).toEqual(['library', 'open'])
    expect((await api('projects', basic({ username: 'admin', password: 'no' }))).status).toBe(401)
    expect(await (await api('projects', {})).json()).toMatchObject([
      { name: 'open', metadata: { public: 'true' } },
    ])
    expect((await api('projects/library/repositories', {})).status).toBe(401)
    expect((await api('projects/none/repositories')).status).toBe(404)
  })

  test('says its version to those who are logged in', async () => {
    expect(await read('systeminfo')).toHaveProperty('harbor_version')
    expect(await (await api('systeminfo', {})).json()).not.toHaveProperty('harbor_version')
  })

  test('gives ten to a page, or up to a hundred, and counts them in a header', async () => {
    for (let index = 0; index < 12; index++) await push(`library/r${index}`, '1')
    const first = await api('projects/library/repositories?sort=name')
    expect(await first.json()).toHaveLength(10)
    expect(first.headers.get('x-total-count')).toBe('12')
    expect(first.headers.get('link')).toBe(
      '</api/v2.0/projects/library/repositories?sort=name&page=2&page_size=10>; rel="next"',
    )
    const second = await api('projects/library/repositories?page=2')
    expect(await second.json()).toHaveLength(2)
    expect(second.headers.get('link')).toContain('rel="prev"')
    expect(second.headers.get('link')).not.toContain('rel="next"')
    expect(await names('repositories?page_size=100')).toHaveLength(12)
    expect(await errorOf(await api('repositories?page_size=101'))).toEqual([422, 'UNPROCESSABLE_ENTITY'])
  })

  test('can lose its links, name another origin, and go in circles', async () => {
    for (const [options, expected] of [
      [{ losesLink: true }, null],
      [
        { linkOrigin: 'http://127.0.0.2:1' },
        '<http://127.0.0.2:1/api/v2.0/repositories?page_size=1&page=2>; rel="next"',
      ],
      [{ endless: true }, '</api/v2.0/repositories?page_size=1&page=2>; rel="next"'],
    ] as const) {
      await restart(options)
      await push('library/a', '1')
      if (!('endless' in options)) await push('library/b', '1')
      expect((await api('repositories?page_size=1')).headers.get('link')).toBe(expected)
    }
    expect(await names('repositories?page_size=1&page=9')).toEqual(['library/a'])
  })

  test('wants slashes below the project encoded twice', async () => {
    await push('library/deep/er/app', '1')
    expect(await names('projects/library/repositories')).toEqual(['library/deep/er/app'])
    const list2 = await api('projects/library/repositories/deep%252Fer%252Fapp/artifacts')
    expect(await list2.json()).toMatchObject([{ digest: image.manifest.digest }])
    expect((await api('projects/library/repositories/deep%2Fer%2Fapp/artifacts')).status).toBe(404)
    expect((await api('projects/library/repositories/deep/er/app/artifacts')).status).toBe(404)
    await restart({ decodesPaths: true })
    await push('library/deep/app', '1')
    expect((await api('projects/library/repositories/deep%252Fapp/artifacts')).status).toBe(404)
  })

  test('lists artifacts with their tags, and what belongs to others below those', async () => {
    await push('library/app', 'list', list)
    await push('library/app', 'again', list)
    await push('library/app', undefined, other)
    const artifact = sampleArtifact('signature', list.descriptor)
    await push('library/app', undefined, artifact)
    await push('library/app', `${list.manifest.digest.replace(':', '-')}.sig`, sampleImage('cosign'))
    const path = 'projects/library/repositories/app/artifacts'
    const all = await read<readonly { digest: string; tags: readonly { name: string }[] | null }[]>(
      `${path}?with_accessory=true`,
    )
    expect(all.map(({ digest }) => digest).toSorted()).toEqual(
      [list.manifest.digest, other.manifest.digest].toSorted(),
    )
    const found = all.find(({ digest }) => digest === list.manifest.digest)
    expect(found).toMatchObject({
      manifest_media_type: list.manifest.mediaType,
      references: list.children.map((child) => ({ child_digest: child.manifest.digest })),
      accessories: expect.arrayContaining([
        expect.objectContaining({ type: 'subject.accessory', digest: artifact.manifest.digest }),
        expect.objectContaining({ type: 'signature.cosign' }),
      ]),
    })
    expect(found?.tags?.map(({ name }) => name)).toEqual(['again', 'list'])
    expect(all.find(({ digest }) => digest === other.manifest.digest)?.tags).toBeNull()
    expect(await read(`${path}?q=tags%3D*`)).toMatchObject([{ digest: list.manifest.digest }])
    expect(await read(`${path}?q=tags%3Dnil`)).toMatchObject([{ digest: other.manifest.digest }])
    expect(await read(`${path}?q=tags%3Dlist&with_tag=false`)).toMatchObject([
      { tags: null, accessories: null },
    ])
  })

  test('shifts its pages when something is pushed between two of them', async () => {
    for (const [index, sample] of [image, other].entries()) await push('library/app', String(index), sample)
    harbor.beforePage = () => push('library/app', 'pushed', sampleImage('third'))
    const page = (number: number) =>
      read<readonly { digest: string }[]>(
        `projects/library/repositories/app/artifacts?page_size=1&page=${number}`,
      )
    expect(await page(1)).toMatchObject([{ digest: other.manifest.digest }])
    expect(await page(2)).toMatchObject([{ digest: other.manifest.digest }])
  })

  test('answers everything else with the page of its portal', async () => {
    const answer = await fetch(`${harbor.url}/no/such/page`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html'])
    expect((await api('../v1/repository?public=true')).status).toBe(404)
  })
})
