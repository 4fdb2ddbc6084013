import { hash } from 'node:crypto'
import { type LayoutIndex, printIndex } from '../layout/layout-index.ts'
import type { BlobReader } from '../layout/blob-reader.ts'
import { OCI_LAYOUT } from '../layout/layout-version.ts'
import type { ManifestFacts } from '../layout/manifest-facts.ts'
import type { ArchiveFile } from './archive-file.ts'

/** One file of an archive: text that is made here, or a blob that is copied. */
export interface ArchivePart {
  readonly name: string
  readonly size: number
  readonly digest: string
  readonly text?: Buffer
}

/**
 * What an archive with this index holds, in its order: oci-layout and index.json, then manifests, then all other blobs, both
 * by digest. Of what the archive `base` holds all stays but what only images lead to that the index does not have any more.
 */
export async function archiveContents(
  index: LayoutIndex,
  { blobs, facts, base }: { blobs: BlobReader; facts: ManifestFacts; base: ArchiveFile | undefined },
): Promise<readonly ArchivePart[]> {
  const roots = rootsOf(index)
  const kept = new Set(await facts.needs(roots))
  if (base !== undefined) {
    const known = await facts.needs(rootsOf(base.index))
    for (const digest of base.blobs.digests) if (!known.has(digest)) kept.add(digest)
  }
  const manifests = await facts.below(roots)
  const sorted = [...kept].sort()
  const parts = [textPart('oci-layout', OCI_LAYOUT), textPart('index.json', printIndex(index))]
  for (const digest of [
    ...sorted.filter((each) => manifests.has(each)),
    ...sorted.filter((each) => !manifests.has(each)),
  ]) {
    const size = await blobs.size(digest)
    // An index may be sparse, and foreign layers live elsewhere.
    if (size !== undefined)
      parts.push({ name: `blobs/sha256/${digest.slice('sha256:'.length)}`, size, digest })
  }
  return parts
}

function rootsOf(index: LayoutIndex): LayoutIndex['entries'][number]['descriptor'][] {
  return index.entries.map((entry) => entry.descriptor)
}

function textPart(name: string, text: string): ArchivePart {
  const bytes = Buffer.from(text)
  return { name, size: bytes.length, digest: `sha256:${hash('sha256', bytes)}`, text: bytes }
}
