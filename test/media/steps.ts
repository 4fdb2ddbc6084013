import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How a step of a guest's script ended. */
export interface Step {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Bash for the beginning of a guest's script, for steps that `readSteps` finds in `directory`:
 *
 * - `step NAME COMMAND...` runs a command to its end, however it ends.
 * - `room PLACE` prints the free bytes of a file system.
 * - `fill PLACE [BYTES]` leaves so many of them, none if absent; `rm PLACE/ballast` frees them again.
 * - `sums PLACE [VOLUME]` checks a volume, the only one of a medium if absent, as anyone can.
 */
export function stepFunctions(directory: string): string {
  return `
step() {
  local at=${directory}/$1 code=0
  shift
  "$@" >"$at.stdout" 2>"$at.stderr" || code=$?
  echo "$code" >"$at.exit"
}
room() {
  sync -f "$1"
  stat -f -c '%a %S' "$1" | { read -r blocks bytes; echo $((blocks * bytes)); }
}
fill() {
  cat /dev/zero >"$1/ballast" 2>/dev/null
  truncate -s "-\${2:-0}" "$1/ballast"
  sync -f "$1"
}
sums() (
  if [ -e "$1/volume.json" ]; then cd "$1"; else cd "\${2:-$(compgen -G "$1/carryall-*")}"; fi &&
    sha256sum --quiet -c SHA256SUMS
)
`
}

/** The steps that ran, by their names. */
export async function readSteps(directory: string): Promise<Readonly<Record<string, Step>>> {
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  const ended = (await readdir(directory)).filter((name) => name.endsWith('.exit'))
  const steps = ended.map(async (file) => {
    const name = file.slice(0, -'.exit'.length)
    const step: Step = {
      exit: Number(await read(file)),
      stdout: await read(`${name}.stdout`),
      stderr: await read(`${name}.stderr`),
    }
    return [name, step] as const
  })
  return Object.fromEntries(await Promise.all(steps))
}

/** The exit code of a step, with the codes of the Failure that it wrote. */
export function failureOf({ exit, stdout }: Step): readonly (number | string)[] {
  const { errors } = JSON.parse(stdout) as { readonly errors: readonly { readonly code: string }[] }
  return [exit, ...errors.map(({ code }) => code)]
}
