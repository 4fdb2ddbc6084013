import { CarryallError } from '@carryall/errors'
import { pointer } from './faults.ts'

/** Names by which a program would reach an object's prototype instead of a key of its own. */
const UNSAFE_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype']

/**
 * Refuses a value that is nested deeper than `maxDepth`, or has a key, at any level, that is in `keys` or names a prototype.
 * Throws INPUT_SYNTAX with the pointer.
 */
export function refuseUnsafe(
  value: unknown,
  origin: string,
  { maxDepth, keys = [] }: { readonly maxDepth: number; readonly keys?: readonly string[] },
): void {
  const refused = new Set([...UNSAFE_KEYS, ...keys])
  if (isSafe(value, refused, maxDepth)) return
  const path: string[] = []
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return
    if (path.length >= maxDepth) throw unsafe(`nested deeper than ${maxDepth}`, origin, path)
    for (const [key, inner] of Object.entries(node)) {
      path.push(key)
      if (refused.has(key)) throw unsafe(`the key "${key}" is not accepted`, origin, path)
      visit(inner)
      path.pop()
    }
  }
  visit(value)
}

/** As below without the path, which few values ever need. */
function isSafe(node: unknown, refused: ReadonlySet<string>, depth: number): boolean {
  if (node === null || typeof node !== 'object') return true
  if (depth <= 0) return false
  if (Array.isArray(node)) return node.every((inner) => isSafe(inner, refused, depth - 1))
  for (const key of Object.keys(node))
    if (refused.has(key) || !isSafe((node as Record<string, unknown>)[key], refused, depth - 1)) return false
  return true
}

function unsafe(why: string, origin: string, path: readonly string[]): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `Cannot read ${origin}: ${why}`, {
    pointer: pointer(path),
    location: { file: origin },
  })
}
