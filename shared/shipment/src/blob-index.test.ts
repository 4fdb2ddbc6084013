import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blobLineSchema, parseJsonTexts, parseValue, type BlobLine } from '@carryall/schemas'
import { formatBlobIndex, parseBlobIndex } from './blob-index.ts'

const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`)
const size = fc.oneof(fc.nat(), fc.maxSafeInteger().map(Math.abs), fc.constant(0))
const line: fc.Arbitrary<BlobLine> = fc.oneof(
  fc.record({ digest, size, sequence: fc.integer({ min: 1 }) }),
  fc.record({
    digest,
    size,
    media_type: fc.oneof(
      fc.constantFrom('application/vnd.oci.image.layer.v1.tar+gzip', ''),
      fc.string({ unit: 'grapheme' }),
    ),
    archive: fc.oneof(fc.constant('mirror_000001.tar'), fc.stringMatching(/^[a-z "é]{1,8}$/)),
    offset: size,
  }),
)

test('an index is read as its lines say, each by the schema', () => {
  fc.assert(
    fc.property(fc.uniqueArray(line, { selector: (one) => one.digest, maxLength: 5 }), (lines) => {
      const text = formatBlobIndex(lines)
      const read = parseBlobIndex(Buffer.from(text), 'index')
      expect(read).toEqual(
        parseJsonTexts(text, 'index').map((value) => parseValue(blobLineSchema, value, 'index')),
      )
    }),
  )
})

test('lines that are not as they are written are refused, or read as JSON', () => {
  const name = `sha256:${'a'.repeat(64)}`
  const read = (text: string): readonly BlobLine[] => parseBlobIndex(Buffer.from(`${text}\n`), 'index')
  expect(read(`{ "sequence": 2, "digest": "${name}", "size": 1, "more": 1 }`)).toEqual([
    { digest: name, size: 1, sequence: 2 },
  ])
  for (const text of [
    `{"digest":"${name}","size":01,"sequence":1}`,
    `{"digest":"${name}","size":1,"sequence":0}`,
    `{"digest":"${name}","size":1,"sequence":1}{}`,
    `{"digest":"${name}","size":1,"media_type":"x","archive":"../x","offset":0}`,
    `{"digest":"${name.toUpperCase()}","size":1,"sequence":1}`,
  ])
    expect(() => read(text)).toThrow(expect.objectContaining({ code: expect.any(String) }))
})
