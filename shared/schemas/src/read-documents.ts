import { CarryallError } from '@carryall/errors'
import { parseJsonTexts } from './json.ts'
import { parseYaml } from './yaml.ts'

const MAX_YAML = 4 * 1024 * 1024
/** A string of V8 holds less than 512 MiB. */
const MAX_JSON = 256 * 1024 * 1024

/**
 * Reads JSON, concatenated JSON, NDJSON, YAML or multi-document YAML, told apart by looking: what starts with `{` or `[`
 * is JSON first, and a flow collection of YAML only where it cannot be JSON that was damaged. A byte order mark is skipped.
 * Throws INPUT_EMPTY (66) where there is no document, INPUT_SYNTAX and INPUT_TOO_LARGE (65).
 */
export function readDocuments(bytes: Buffer, origin: string): readonly unknown[] {
  if (bytes.length > MAX_JSON) throw tooLarge(origin, MAX_JSON, bytes.length)
  const text = decode(bytes, origin)
  const start = text.trimStart()
  if (start === '') throw empty(origin)
  if (start.startsWith('{') || start.startsWith('[')) {
    try {
      return parseJsonTexts(text, origin)
    } catch (error) {
      // After its brackets JSON has a quote; YAML that people write there has a plain word.
      if (/^[[{\s]+["\]}]/.test(start) || bytes.length > MAX_YAML) throw error
    }
  }
  if (bytes.length > MAX_YAML) throw tooLarge(origin, MAX_YAML, bytes.length)
  const documents = parseYaml(text, origin)
  if (documents.length === 0) throw empty(origin)
  return documents
}

function decode(bytes: Buffer, origin: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new CarryallError('INPUT_SYNTAX', `Cannot read ${origin}: it is not UTF-8 text`, {
      location: { file: origin },
      hint: 'Save it as UTF-8; a compressed file has to be unpacked first',
      cause,
    })
  }
}

function empty(origin: string): CarryallError {
  return new CarryallError('INPUT_EMPTY', `Nothing to read in ${origin}`, {
    location: { file: origin },
    hint:
      origin === '<stdin>'
        ? 'The upstream wrote nothing; look at its error, and use set -o pipefail'
        : 'The file is empty',
  })
}

function tooLarge(origin: string, limit: number, size: number): CarryallError {
  return new CarryallError(
    'INPUT_TOO_LARGE',
    `Cannot read ${origin}: ${size} bytes, at most ${limit} are read`,
    {
      location: { file: origin },
      expected: limit,
      actual: size,
    },
  )
}
