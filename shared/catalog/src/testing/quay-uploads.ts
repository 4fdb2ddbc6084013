import type { Exchange, FakeBase } from './fake-server.ts'
import { ask, forward } from './forward.ts'
import type { QuayBook } from './quay-book.ts'
import { refusal, Refused, send } from './reply.ts'
import { uploadState } from './upload-state.ts'
import type { V2Route } from './v2-route.ts'

type Upload = Extract<V2Route, { kind: 'upload' | 'uploads' }>

/** Uploads as Quay takes them: locations without a state, ranges of its own kind, chunks that may overlap. */
export function quayUploads(
  { store, files }: FakeBase,
  book: QuayBook,
  refuseWrite: (exchange: Exchange, repository: string) => void,
  mayRead: (exchange: Exchange, repository: string) => boolean,
): (exchange: Exchange, route: Upload) => Promise<void> {
  const refuseOverQuota = (repository: string) => {
    const [namespace = ''] = repository.split('/')
    const limit = book.quotas.get(namespace)
    if (limit !== undefined && book.used(namespace) >= limit)
      throw refusal(403, 'DENIED', 'Quota has been exceed on namespace')
  }

  const begin = async (exchange: Exchange, repository: string) => {
    const { query, origin } = exchange
    const [mount, from] = [query.get('mount'), query.get('from')]
    // The token has to grant a pull from the other repository, too; without, it is an upload like any other.
    if (mount !== null && from !== null && mayRead(exchange, from)) {
      const path = `/v2/${repository}/blobs/uploads/?${new URLSearchParams({ mount, from }).toString()}`
      const mounted = await ask(store, 'POST', path)
      if (mounted.status === 201) {
        return send(exchange, 201, '', {
          location: `${origin}/v2/${repository}/blobs/${mount}`,
          'docker-content-digest': mount,
        })
      }
    }
    const opened = await ask(store, 'POST', `/v2/${repository}/blobs/uploads/`)
    const id = opened.headers.get('docker-upload-uuid')!
    // A POST with a digest brings the whole blob.
    if (query.has('digest')) return take(exchange, { kind: 'upload', repository, id }, 'PUT')
    send(exchange, 202, '', {
      location: `${origin}/v2/${repository}/blobs/uploads/${id}`,
      'docker-upload-uuid': id,
      // Nothing has come: the end is before the start, and there is a prefix.
      range: 'bytes=0--1',
    })
  }

  const take = async (
    exchange: Exchange,
    { repository, id }: Extract<Upload, { kind: 'upload' }>,
    method: 'PATCH' | 'PUT',
  ) => {
    const { request, query, origin } = exchange
    const had = files.uploaded(repository, id)
    if (had === undefined) throw refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
    const location = `${origin}/v2/${repository}/blobs/uploads/${id}`
    const start = startOf(request.headers['content-range'])
    if (start > had) throw new Refused(416, '', { location, range: `0-${had}`, 'docker-upload-uuid': id })
    const digest = query.get('digest')
    if (method === 'PUT' && digest === null) throw refusal(400, 'BLOB_UPLOAD_INVALID', 'blob upload invalid')
    const state = uploadState(repository, id, had)
    const closing = digest === null ? '' : `&digest=${encodeURIComponent(digest)}`
    await forward(exchange, store, {
      method,
      path: `/v2/${repository}/blobs/uploads/${id}?${state}${closing}`,
      // What overlaps with what has come before is passed over. Without a range, bytes go to the end.
      skip: start > 0 ? had - start : 0,
      headers: ({ headers, statusCode }) => {
        if (statusCode !== 202) return headers
        // Without the prefix, and the end included.
        return { ...headers, location, range: `0-${(files.uploaded(repository, id) ?? 0) - 1}` }
      },
    })
  }

  const status = (exchange: Exchange, { repository, id }: Extract<Upload, { kind: 'upload' }>) => {
    const size = files.uploaded(repository, id)
    if (size === undefined) throw refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
    // With the prefix, the end not included, and no Location.
    send(exchange, 204, '', { 'docker-upload-uuid': id, range: `bytes=0-${size}` })
  }

  return async (exchange, route) => {
    const { repository } = route
    refuseWrite(exchange, repository)
    if (!book.has(repository)) throw refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry')
    if (exchange.method === 'GET' && route.kind === 'upload') return status(exchange, route)
    if (exchange.method === 'DELETE' && route.kind === 'upload') {
      const size = files.uploaded(repository, route.id)
      if (size === undefined) throw refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
      const path = `${exchange.path}?${uploadState(repository, route.id, size)}`
      return void (await forward(exchange, store, { path }))
    }
    refuseOverQuota(repository)
    if (exchange.method === 'POST' && route.kind === 'uploads') return begin(exchange, repository)
    if (route.kind === 'upload' && (exchange.method === 'PATCH' || exchange.method === 'PUT'))
      return take(exchange, route, exchange.method)
    throw refusal(405, 'UNSUPPORTED', 'The operation is unsupported.')
  }
}

/** `start-end`, both included, and nothing before it. */
function startOf(range: string | undefined): number {
  if (range === undefined) return 0
  const [, start, end] = /^(\d+)-(\d+)$/.exec(range) ?? []
  if (start === undefined || Number(end) + 1 < Number(start))
    throw refusal(400, 'INVALID_REQUEST', 'Invalid range header')
  return Number(start)
}
