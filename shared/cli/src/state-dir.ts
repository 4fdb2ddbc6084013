import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { Host } from './host.ts'

/** The state directory: as given, else /var/lib/carryall for root, else below XDG_STATE_HOME or ~/.local/state. */
export function stateDirectory(host: Pick<Host, 'env' | 'cwd' | 'uid'>, given: string | undefined): string {
  if (given !== undefined) return resolve(host.cwd, given)
  if (host.uid === 0) return '/var/lib/carryall'
  const xdg = host.env['XDG_STATE_HOME']
  // The specification of XDG says that a relative path is to be ignored
  const base = xdg && isAbsolute(xdg) ? xdg : join(host.env['HOME'] || homedir(), '.local', 'state')
  return join(base, 'carryall')
}
