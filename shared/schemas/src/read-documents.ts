import { CarryallError } from '@carryall/errors'
import { parseJsonTexts } from './json.ts'
import { parseYaml } from './yaml.ts'

const MAX_YAML = 16 * 1024 * 1024
const MAX_JSON = 512 * 1024 * 1024

/**
 * Reads JSON, concatenated JSON, NDJSON, YAML or multi-document YAML, told apart by looking: what starts with `{` or `[`
 * is JSON first. Throws INPUT_EMPTY (66) where there is nothing but white space, INPUT_SYNTAX and INPUT_TOO_LARGE (65).
 */
export function readDocuments(bytes: Buffer, origin: string): readonly unknown[] {
  if (bytes.length > MAX_JSON) throw tooLarge(origin, MAX_JSON)
  const text = decode(bytes, origin)
  const start = text.trimStart()
  if (start === '') {
    throw new CarryallError('INPUT_EMPTY', `Nothing to read in ${origin}`, {
      hint: origin === '<stdin>' ? 'The upstream wrote nothing; look at its error, and use set -o pipefail' : 'The file is empty',
    })
  }
  if (start.startsWith('{') || start.startsWith('[')) {
    try {
      return parseJsonTexts(text, origin)
    } catch (error) {
      if (/^[^\n]*[{[]\s*"/.test(start) || bytes.length > MAX_YAML) throw error
    }
  }
  if (bytes.length > MAX_YAML) throw tooLarge(origin, MAX_YAML)
  return parseYaml(text, origin)
}

function decode(bytes: Buffer, origin: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new CarryallError('INPUT_SYNTAX', `Cannot read ${origin}: it is not UTF-8 text`, { location: { file: origin }, cause })
  }
}

function tooLarge(origin: string, limit: number): CarryallError {
  return new CarryallError('INPUT_TOO_LARGE', `Cannot read ${origin}: larger than ${limit} bytes`, { location: { file: origin } })
}
