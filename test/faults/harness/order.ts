import { constants } from 'node:fs'
import { dirname } from 'node:path'
import type { Call } from './calls.ts'

/** A rule of durable writing that a program broke, and where. */
export interface Breach {
  readonly rule:
    | 'a file is created exclusively'
    | 'what gets a name is synced before'
    | 'a name is given by rename, link or mkdir'
    | 'a name is never removed'
    | 'a directory is synced after a name changed in it'
  readonly path: string
}

/**
 * Judges the calls of a whole run by their order: an order that is wrong is found even where a disk would have forgiven
 * it. `finals` are the absolute paths, files and directories, that the run had to make durable.
 */
export function findBreaches(calls: readonly Call[], finals: readonly string[]): Breach[] {
  const breaches: Breach[] = []
  /** Names whose change must have reached their directory in the end. */
  const owed = new Set(finals)
  const named = new Set<string>()
  const created = new Set<string>()
  const careless = new Set<string>()
  /** Files and directories that no fsync has followed since; for directories with the names that changed in them. */
  const unsynced = new Map<string, Set<string>>()

  const change = (path: string, name = '.') => {
    const changes = unsynced.get(path) ?? new Set<string>()
    unsynced.set(path, changes.add(name))
  }
  const give = (from: string, to: string) => {
    const inside = [...unsynced.keys()].filter((path) => isWithin(path, from))
    for (const path of inside) breaches.push({ rule: 'what gets a name is synced before', path })
    if (careless.has(from)) breaches.push({ rule: 'a file is created exclusively', path: to })
    named.add(to)
    // What lies in a directory gets its name with it.
    for (const path of created) if (isWithin(path, from) && path !== from) named.add(path)
    change(dirname(to), to)
  }

  for (const { name, paths, flags, result } of calls) {
    const [path, to] = paths
    if (path === undefined || typeof result !== 'number' || result < 0) continue
    // rename, renameat and renameat2 are one thing.
    switch (name.replace(/at2?$/, '')) {
      case 'open':
        if ((flags & constants.O_CREAT) === 0) break
        if ((flags & constants.O_EXCL) === 0) careless.add(path)
        created.add(path)
        change(path)
        change(dirname(path), path)
        break
      case 'mkdir':
        named.add(path)
        change(dirname(path), path)
        break
      case 'fsync':
      case 'fdatasync':
        unsynced.delete(path)
        break
      case 'rename':
        give(path, to!)
        change(dirname(path), path)
        if (finals.includes(to!) && dirname(path) !== dirname(to!)) owed.add(path)
        for (const set of [created, named, careless]) move(set, path, to!)
        for (const [at, changes] of [...unsynced]) {
          if (!isWithin(at, path)) continue
          unsynced.delete(at)
          unsynced.set(to! + at.slice(path.length), changes)
        }
        break
      case 'link':
        give(path, to!)
        break
      case 'unlink':
      case 'rmdir':
        if (finals.includes(path)) breaches.push({ rule: 'a name is never removed', path })
        unsynced.delete(path)
        change(dirname(path), path)
        break
      case 'close':
        break
      default:
        change(path)
    }
  }

  for (const path of finals) {
    if (!named.has(path)) breaches.push({ rule: 'a name is given by rename, link or mkdir', path })
  }
  for (const path of owed) {
    if (unsynced.get(dirname(path))?.has(path)) {
      breaches.push({ rule: 'a directory is synced after a name changed in it', path })
    }
  }
  return breaches
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function move(set: Set<string>, from: string, to: string): void {
  for (const path of [...set].filter((one) => isWithin(one, from))) {
    set.delete(path)
    set.add(to + path.slice(from.length))
  }
}
