import type { HttpClient } from '@carryall/http'
import type { Credential, Source } from '@carryall/oci'
import type { Image, RegistryApi } from '@carryall/schemas'

/** An Image without its document's head. */
export type ListedImage = Omit<Image, 'apiVersion' | 'kind' | 'critical'>

export interface CatalogPorts {
  /** The registry, layout or archive by the distribution-spec. */
  readonly store: Source
  /** For the APIs beside it. */
  readonly http: HttpClient
  /** As in `Image.registry`: `host[:port]`, `oci:DIRECTORY` or `oci-archive:FILE`. */
  readonly registry: string
  /** Who we are, for APIs that take a user and a password: Harbor, Docker Hub. */
  readonly credential?: (host: string) => Credential | undefined | Promise<Credential | undefined>
  /** For APIs that take a token of their own: Quay, GitLab. */
  readonly apiToken?: string | undefined
  /** Servers that are trusted besides those of the registry's own site: GitLab may be at another name than its registry. */
  readonly allowedRealms?: readonly string[]
}

/** A repository of a catalog. */
export interface CatalogRepository {
  readonly name: string
  /** No tag in it was given its digest later than this; absent where the API does not tell. */
  readonly changed?: Date
}

/** What a registry holds, as one of its APIs tells it. */
export interface Catalog {
  readonly registry: string
  /** The API that is asked. */
  readonly api: RegistryApi
  /** Repositories of the namespace, each once, in the API's order. Throws API_*, REG_*, AUTH_*, NET_*. */
  repositories(signal?: AbortSignal): AsyncIterable<CatalogRepository>
  /**
   * Tags of a repository, each once, in the API's order, with what the API tells of them; none where there is no such
   * repository. Throws API_*, REG_*, AUTH_*, NET_*.
   */
  images(repository: string, signal?: AbortSignal): AsyncIterable<ListedImage>
  /** True where `images` leaves out the tags of cosign, as Harbor's API does. */
  readonly hidesAttached?: true
  /** False once `repositories` had to leave open what else there is: see `openCatalog`. */
  complete(): boolean
}
