import type { Catalog } from '@carryall/catalog'
import type { Destination, Source } from '@carryall/oci'
import type { RetryPolicy } from '@carryall/http'
import type { End } from './ends.ts'
import type { Api } from './pairs.ts'

/** What can be asked for blobs as well. */
export type Provable = Source & Pick<Destination, 'hasBlob'>

/** The ends of the pairs of a run, each opened once. */
export interface Ends extends AsyncDisposable {
  /** To read from; what planning has read of it is kept for the copy. */
  source(end: Pick<End, 'kind' | 'registry' | 'place'>): Promise<Source>
  /** To look at before anything is written: a layout or an archive that is not there yet is empty. */
  look(end: Pick<End, 'kind' | 'registry' | 'place'>): Promise<Provable>
  /** To write to: a layout or an archive that is not there yet is made. */
  destination(end: Pick<End, 'kind' | 'registry' | 'place'>): Promise<Destination>
  catalog(side: 'src' | 'dest', end: End, api: Api): Promise<Catalog>
  /** Whether we are somebody at a registry. */
  hasAccount(side: 'src' | 'dest', host: string): Promise<boolean>
  /** Lets what was written to archives appear under their names. */
  publish(): Promise<void>
  readonly retry: RetryPolicy
}
