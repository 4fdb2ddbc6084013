import type { Metafile } from 'esbuild'

/** Packages that cost tens of milliseconds to load, so that no tool may do it before its verb needs them. */
export const HEAVY = ['undici', 'execa', 'listr2', 'tar'] as const

/** The import chains, written `a > b > c`, by which the start of a bundle evaluates a heavy package; empty if it is lazy. */
export function eagerHeavy({ inputs, outputs }: Metafile): string[] {
  const entry = Object.values(outputs)[0]?.entryPoint
  if (entry === undefined) throw new Error('The metafile has no entry point')
  const chains: string[] = []
  const seen = new Set([entry])
  const queue: (readonly string[])[] = [[entry]]
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    const path = chain.at(-1)!
    if (HEAVY.some((name) => path.includes(`node_modules/${name}/`))) {
      chains.push(chain.join(' > '))
      continue
    }
    for (const found of inputs[path]?.imports ?? []) {
      if (found.kind === 'dynamic-import' || found.external || seen.has(found.path)) continue
      seen.add(found.path)
      queue.push([...chain, found.path])
    }
  }
  return chains
}
