import { resolve } from 'node:path'
import { mediumOfDirectory, parseMedium } from '@carryall/media'
import type { FileSystemName, Medium } from '@carryall/schemas'
import type { Reserve } from './reserve.ts'

export interface MediaOptions {
  readonly filesystem: FileSystemName | undefined
  readonly reserve: Reserve
  readonly cwd: string
}

/** The media as they were asked for, with what fits on each. Throws USAGE_BAD_VALUE, INPUT_NOT_FOUND. */
export async function readMedia(texts: readonly string[], options: MediaOptions): Promise<readonly Medium[]> {
  const media: Medium[] = []
  for (const text of texts) media.push(await readMedium(text, options))
  return media
}

async function readMedium(text: string, { filesystem, reserve, cwd }: MediaOptions): Promise<Medium> {
  const sized = async (reserveBytes: number): Promise<Medium> => {
    const medium = parseMedium(text, { reserveBytes, ...(filesystem === undefined ? {} : { filesystem }) })
    return 'directory' in medium ? mediumOfDirectory(resolve(cwd, medium.directory), reserveBytes) : medium
  }
  if ('bytes' in reserve) return sized(reserve.bytes)
  const { capacity_bytes: capacity = 0 } = await sized(0)
  return sized(Math.ceil((capacity * reserve.percent) / 100))
}
