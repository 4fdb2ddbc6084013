import type { Host } from './host.ts'

/** Colours on stderr: not with --no-color or NO_COLOR, always with FORCE_COLOR, else on a terminal that is not dumb. */
export function useColor(
  { env, stderrIsTerminal }: Pick<Host, 'env' | 'stderrIsTerminal'>,
  noColor: boolean,
): boolean {
  if (noColor || env['NO_COLOR']) return false
  const forced = env['FORCE_COLOR']
  if (forced) return forced !== '0'
  return stderrIsTerminal && env['TERM'] !== 'dumb'
}
