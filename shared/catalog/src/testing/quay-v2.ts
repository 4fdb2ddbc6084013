import type { Exchange, FakeBase } from './fake-server.ts'
import { ask, forward } from './forward.ts'
import type { QuayAuth } from './quay-auth.ts'
import type { QuayBook } from './quay-book.ts'
import { quayLists } from './quay-lists.ts'
import { schema1 } from './quay-schema1.ts'
import { quayUploads } from './quay-uploads.ts'
import type { QuayOptions } from './quay.ts'
import { refusal, send } from './reply.ts'
import { referrersIndex, storedImage } from './stored-image.ts'
import { isWrite, type V2Route, v2Route } from './v2-route.ts'

type Manifest = Extract<V2Route, { kind: 'manifest' }>

/** Quay's distribution API in front of docker-registry. */
export function quayV2(
  base: FakeBase,
  book: QuayBook,
  auth: QuayAuth,
  options: QuayOptions,
  isReadOnly: () => boolean,
): (exchange: Exchange) => Promise<void> {
  const { store, files } = base
  const lists = quayLists(base, book, options)
  const upload = quayUploads(
    base,
    book,
    (exchange, repository) => refuseWrite(exchange, repository),
    auth.mayRead,
  )

  const refuseWrite = (exchange: Exchange, repository: string) => {
    auth.admit(exchange, repository, 'push')
    if (isReadOnly()) {
      throw refusal(
        405,
        'DENIED',
        'System is currently read-only. Pulls will succeed but all write operations are currently suspended.',
        {},
        { is_readonly: true },
      )
    }
    const state = book.states.get(repository) ?? 'NORMAL'
    if (state !== 'NORMAL') throw refusal(405, 'DENIED', `${repository} is in ${state} state`)
  }

  const tagOf = ({ repository, reference }: Manifest) =>
    files.tags(repository).find(({ name }) => name === reference)
  const isAlive = ({ repository, reference }: Manifest) =>
    book.alive(repository).some(({ name }) => name === reference)

  const pullManifest = async (exchange: Exchange, route: Manifest) => {
    const isTag = !route.reference.includes(':')
    if (isTag && !isAlive(route)) {
      const was = book.dead(route.repository).some(({ name }) => name === route.reference)
      // A tag that was there is told apart from one that never was.
      if (was)
        throw refusal(
          404,
          'TAG_EXPIRED',
          `Tag ${route.reference} was deleted or has expired. To pull, revive via time machine`,
        )
      throw refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    }
    const digest = isTag ? tagOf(route)!.digest : route.reference
    if (!files.manifests(route.repository).some((manifest) => manifest.digest === digest))
      throw refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    const image = storedImage(files, digest)
    const accepted = exchange.request.headers.accept ?? ''
    // By tag, what the client does not name in Accept is made into schema 1: another digest. By digest, never.
    const given =
      isTag && !accepted.includes(image.mediaType)
        ? schema1(files, route.repository, route.reference, image)
        : image
    if (given === undefined) throw refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    send(exchange, 200, given.bytes, {
      'content-type': given.mediaType,
      'docker-content-digest': given.digest,
    })
  }

  const pushManifest = async (exchange: Exchange, route: Manifest) => {
    // Even with the digest that it has already.
    if (book.alive(route.repository).some(({ name, immutable }) => immutable && name === route.reference))
      throw refusal(409, 'TAG_IMMUTABLE', 'tag is immutable and cannot be overwritten')
    const status = await forward(exchange, store, {
      headers: ({ headers }) => {
        const digest = headers['docker-content-digest'] as string | undefined
        const { subject } = digest ? storedImage(files, digest).json : {}
        const said = options.referrers !== false && subject ? { 'oci-subject': subject.digest } : {}
        return { ...headers, ...said }
      },
    })
    if (status === 201 && !route.reference.includes(':')) book.pushed(route.repository, route.reference)
  }

  const removeManifest = async (exchange: Exchange, route: Manifest) => {
    const isTag = !route.reference.includes(':')
    const tags = book
      .alive(route.repository)
      .filter(({ name, digest }) => (isTag ? name : digest) === route.reference)
    // What no tag names cannot be deleted.
    if (tags.length === 0) throw refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    if (tags.some(({ immutable }) => immutable))
      throw refusal(409, 'TAG_IMMUTABLE', 'tag is immutable and cannot be overwritten')
    // By digest, every tag on it goes.
    for (const { name } of tags) book.remove(route.repository, name)
    send(exchange, 202, '')
  }

  const blob = async (exchange: Exchange, repository: string, digest: string) => {
    if (exchange.method === 'DELETE') throw refusal(405, 'UNSUPPORTED', 'The operation is unsupported.')
    if (options.blobOrigin === undefined || exchange.method !== 'GET')
      return void (await forward(exchange, store))
    const there = await ask(store, 'HEAD', exchange.path)
    if (there.status !== 200) throw refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
    send(exchange, 302, '', {
      location: `${options.blobOrigin}/${repository}/${digest}`,
      'docker-content-digest': digest,
    })
  }

  const referrers = (exchange: Exchange, repository: string, digest: string) => {
    if (options.referrers === false)
      return send(exchange, 404, '404 page not found', { 'content-type': 'text/plain' })
    // The subject itself has to be there.
    if (!files.manifests(repository).some((manifest) => manifest.digest === digest))
      throw refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    const type = exchange.query.get('artifactType')
    // All on one page.
    send(exchange, 200, referrersIndex(files, repository, digest, type), {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      ...(type === null ? {} : { 'oci-filters-applied': 'artifactType' }),
    })
  }

  return async (exchange) => {
    if (exchange.path === '/v2/auth') return auth.giveToken(exchange)
    const route = v2Route(exchange.path)
    if (route === undefined) throw refusal(404, 'UNSUPPORTED', 'not found')
    if (route.kind === 'base') return lists.base(exchange, auth)
    if (route.kind === 'catalog') return lists.catalog(exchange, auth.admit(exchange))
    const { repository } = route
    if (route.kind === 'uploads' || route.kind === 'upload') return upload(exchange, route)
    if (isWrite(exchange.method)) refuseWrite(exchange, repository)
    else auth.admit(exchange, repository)
    // What is about to be deleted is listed by the API, and gone for everybody else.
    if (!book.has(repository) || book.states.get(repository) === 'MARKED_FOR_DELETION')
      throw refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry')
    if (route.kind === 'tags') return lists.tags(exchange, repository)
    if (route.kind === 'referrers') return referrers(exchange, repository, route.digest)
    if (route.kind === 'blob') return blob(exchange, repository, route.digest)
    if (exchange.method === 'PUT') return pushManifest(exchange, route)
    return exchange.method === 'DELETE' ? removeManifest(exchange, route) : pullManifest(exchange, route)
  }
}
