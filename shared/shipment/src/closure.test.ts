import { expect, test } from 'vitest'
import { missing } from './closure.ts'

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`

test('names what is missing by the sequence that holds it, with counts and bytes', () => {
  const blobs = [
    { digest: digest('a'), size: 10, media_type: 'x', archive: 'mirror_000001.tar', offset: 512 },
    { digest: digest('b'), size: 20, sequence: 1 },
    { digest: digest('c'), size: 30, sequence: 1 },
    { digest: digest('d'), size: 40, sequence: 3 },
    { digest: digest('e'), size: 50, sequence: 2 },
  ]
  const found = missing(
    blobs,
    (one) => one === digest('e'),
    (sequence) => (sequence === 1 ? 'seq1-baseline' : undefined),
  )
  expect(found).toEqual([
    { sequence_number: 1, name: 'seq1-baseline', blobs: 2, size_bytes: 50 },
    { sequence_number: 3, blobs: 1, size_bytes: 40 },
  ])
})
