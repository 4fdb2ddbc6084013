import { randomUUID } from 'node:crypto'
import { type FakeServer, type FakeServerOptions, startFake } from './fake-server.ts'
import { quayApi } from './quay-api.ts'
import { quayAuth } from './quay-auth.ts'
import { quayBook } from './quay-book.ts'
import { quayV2 } from './quay-v2.ts'
import { tokenDoor } from './token-door.ts'

export type QuayState = 'NORMAL' | 'READ_ONLY' | 'MIRROR' | 'ORG_MIRROR' | 'MARKED_FOR_DELETION'

export interface QuayOptions extends FakeServerOptions {
  /** Largest page of `/v2/_catalog`, `/v2/<name>/tags/list` and `/api/v1/repository`; 100, as with Quay, if absent. */
  readonly pageSize?: number
  /** A tag list of the registry pages by `last`, as newer releases do, instead of by an opaque token. */
  readonly pagesByLast?: boolean
  /** Has the referrers API; true if absent. */
  readonly referrers?: boolean
  /** How a push to a repository that is not NORMAL is refused: 405 DENIED, or by a token without the right (401). */
  readonly refusesState?: 'denied' | 'token'
  /** Blobs are served from storage at this origin by redirect. */
  readonly blobOrigin?: string
}

export interface FakeQuay extends FakeServer {
  /** OAuth application token, the only thing that the API takes. */
  readonly apiToken: string
  /** May pull and push everywhere, and make repositories. The API does not know it. */
  readonly robot: { readonly username: string; readonly password: string }
  /** Answers every write with 405 DENIED, as the maintenance mode does. */
  setReadOnly(on: boolean): void
  /** What a repository may be used for; NORMAL if not set. */
  setState(repository: string, state: QuayState): void
  /** Tags that match cannot be moved, nor deleted: 409 TAG_IMMUTABLE. */
  setImmutable(repository: string, glob: string): void
  /** The tag ends then, as if set in the UI; without time it stays. */
  setExpiration(repository: string, tag: string, time: Date | undefined): void
  /** Uploads to the namespace are refused with 403 DENIED; without limit in bytes they are not. */
  setQuota(namespace: string, limit: number | undefined): void
  setPublic(repository: string, isPublic: boolean): void
  setDescription(repository: string, description: string): void
  /** Deletes a tag as the UI does: it stays in the history. */
  deleteTag(repository: string, tag: string): void
  /** Lets the hour go by after which blobs and manifests are gone that no tag holds. */
  passGrace(): void
}

/** Starts a Quay: the registry, its token server at `/v2/auth`, and API v1. */
export function startQuay(options: QuayOptions = {}): Promise<FakeQuay> {
  const robot = { username: 'team+ci', password: `robot-${randomUUID()}` }
  const apiToken = `oauth-${randomUUID()}`
  return startFake(options, (base) => {
    const book = quayBook(base)
    const door = tokenDoor()
    let readOnly = false
    const auth = quayAuth(door, book, { [robot.username]: robot.password }, options)
    const v2 = quayV2(base, book, auth, options, () => readOnly)
    const api = quayApi(base, book, apiToken, options.pageSize)
    return {
      answer: (exchange) => (exchange.path.startsWith('/api/') ? api(exchange) : v2(exchange)),
      expireTokens: door.expireAll,
      extra: {
        apiToken,
        robot,
        setReadOnly: (on: boolean) => void (readOnly = on),
        setState: (repository: string, state: QuayState) => void book.states.set(repository, state),
        setImmutable: book.setImmutable,
        setExpiration: book.expire,
        setQuota: (namespace: string, limit: number | undefined) => {
          if (limit === undefined) book.quotas.delete(namespace)
          else book.quotas.set(namespace, limit)
        },
        setPublic: (repository: string, isPublic: boolean) => {
          if (isPublic) book.isPublic.add(repository)
          else book.isPublic.delete(repository)
        },
        setDescription: (repository: string, text: string) => void book.descriptions.set(repository, text),
        deleteTag: book.remove,
        passGrace: book.passGrace,
      },
    }
  })
}
