import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError } from '@carryall/errors'
import { openArchive, openLayout, type LayoutOptions } from '@carryall/oci'
import type { Readable } from './server/exchange.ts'

export interface Opened {
  readonly kind: 'layout' | 'content' | 'archive'
  readonly store: Readable
  close(): Promise<void>
}

/**
 * Opens what a path leads to: an OCI layout, also a new one where the directory is empty or absent; the sequences of a content
 * directory, or an OCI archive, which are read-only. Throws what opening them throws.
 */
export async function openServed(path: string, options: LayoutOptions): Promise<Opened> {
  return (await isFile(path)) ? openTar(path) : openDirectory(path, options)
}

async function openTar(file: string): Promise<Opened> {
  const store = await openArchive(file)
  return { kind: 'archive', store, close: () => store.close() }
}

async function openDirectory(directory: string, options: LayoutOptions): Promise<Opened> {
  const names = await namesIn(directory)
  if (!names.includes('oci-layout') && (await holdsSequences(directory, names))) return openContent(directory)
  const store = await openLayout(directory, options)
  return { kind: 'layout', store, close: () => store.close() }
}

async function openContent(directory: string): Promise<Opened> {
  const { loadChain, locateBlobs, sequenceStore } = await import('@carryall/sequence')
  const sequences = await loadChain(directory)
  const places = await locateBlobs(sequences)
  const store = sequenceStore(
    sequences.flatMap((sequence) => sequence.images),
    places,
  )
  const blobPlace: Readable['blobPlace'] = async (_repository, digest) => places.get(digest)
  return { kind: 'content', store: { ...store, blobPlace }, close: () => store.close() }
}

async function holdsSequences(directory: string, names: readonly string[]): Promise<boolean> {
  if (names.includes('.carryall')) return true
  for (const name of names.filter((each) => /^seq\d+-/.test(each))) {
    if (await isFile(join(directory, name, 'seq-metadata.yaml'))) return true
  }
  return false
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw fromSystemError(error, `read the directory "${directory}"`)
  })
}
