import type { Item, Table } from '@carryall/cli'
import { humanSize, type Image, type Listing } from '@carryall/schemas'

/** The list for people. */
export function table(items: readonly Item[]): Table {
  const documents = items.map(({ document }) => document as Image | Listing)
  const images = documents.filter((document) => document.kind === 'Image')
  const listing = documents.find((document) => document.kind === 'Listing')
  return {
    columns: ['REPOSITORY', 'TAG', 'DIGEST', 'SIZE', 'PUSHED'],
    rows: images.map(({ repository, tag, digest, size_bytes: size, created }) => [
      repository,
      tag ?? '',
      digest ?? '',
      size === undefined ? '' : humanSize(size),
      created ?? '',
    ]),
    notes: listing === undefined ? [] : [closing(listing)],
  }
}

function closing({ images, repositories, complete, api, filtered }: Listing): string {
  const part = filtered ? ', chosen by filters' : ''
  return `${images} images in ${repositories} repositories${part}, by the API "${api}"; ${complete ? 'the list is complete' : 'the list is INCOMPLETE'}`
}
