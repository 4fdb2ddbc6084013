import { run, type Ended } from './run.ts'
import type { Installed } from './bundles.ts'

/** Runs a line of a runbook in bash with `pipefail`, in `cwd`. */
export function shell(
  installed: Installed,
  cwd: string,
  script: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  return run('bash', ['-c', `set -o pipefail\n${script}`], {
    cwd,
    env: { PATH: installed.path, HOME: cwd, CARRYALL_STATE_DIR: installed.stateDir, ...env },
  })
}

/** The NDJSON that a line wrote. */
export function documents(ended: Ended): readonly Record<string, unknown>[] {
  return ended.stdout
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
