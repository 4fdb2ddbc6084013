import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How a step of a guest's script ended. */
export interface Step {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Begins a script whose steps can be looked at afterwards: `step NAME COMMAND...` runs a command to its end, however it
 * ends, and leaves what `readSteps` reads in `directory`. `room PLACE` prints the free bytes of a file system, `volume PLACE`
 * the volume on a medium.
 */
export function withSteps(directory: string, script: string): string {
  return `
step() {
  local at=${directory}/$1 code=0
  shift
  "$@" >"$at.stdout" 2>"$at.stderr" || code=$?
  echo "$code" >"$at.exit"
}
room() { sync -f "$1"; stat -f -c '%a %S' "$1" | { read -r blocks bytes; echo $((blocks * bytes)); }; }
volume() { compgen -G "$1/carryall-*"; }
sums() ( cd "$(volume "$1")" && sha256sum --quiet -c SHA256SUMS )
${script}`
}

/** The steps that ran, by their names. */
export async function readSteps(directory: string): Promise<ReadonlyMap<string, Step>> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.exit'))
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  return new Map(
    await Promise.all(
      names.map(async (file) => {
        const name = file.slice(0, -'.exit'.length)
        const [exit, stdout, stderr] = await Promise.all([
          read(file),
          read(`${name}.stdout`),
          read(`${name}.stderr`),
        ])
        return [name, { exit: Number(exit), stdout: stdout!, stderr: stderr! }] as const
      }),
    ),
  )
}
