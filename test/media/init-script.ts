import { dirname } from 'node:path'
import type { Disk } from './disk.ts'

/** What the first process of a guest has to know. */
export interface Start {
  /** Where it finds `script` and `modprobe`, and leaves `stdout`, `stderr`, `exit`, `ready` and `busy`. */
  readonly folder: string
  readonly disks: readonly Disk[]
  readonly share?: string
  readonly env?: Readonly<Record<string, string>>
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The bash script that a guest starts as its first process, and that switches it off. */
export function initScript({ folder, disks, share, env = {} }: Start): string {
  const environment = {
    PATH: `${dirname(process.execPath)}:${PATH}`,
    HOME: '/run',
    LANG: 'C.UTF-8',
    TMPDIR: '/run',
    ...env,
  }
  const set = Object.entries(environment).map(([name, value]) => quote(`${name}=${value}`))
  const shared = [folder, ...(share === undefined ? [] : [share])].map(quote)
  const places = [...disks.map(({ at }) => quote(at)), ...shared.slice(1)]
  return `#!/bin/bash
set -e
export PATH=${PATH}
trap 'echo o >/proc/sysrq-trigger; sleep 60' EXIT
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /media
ln -s /proc/self/fd /dev/fd
${shared.map((path) => `mkdir -p ${path}\nmount -t hostfs -o ${path} hostfs ${path}`).join('\n')}
cd ${quote(folder)}
echo "$PWD/modprobe" >/proc/sys/kernel/modprobe
${disks.map(mountLines).join('\n')}
touch ready
code=0
(cd /run && exec env -i ${set.join(' ')} bash ${quote(`${folder}/script`)}) </dev/null >stdout 2>stderr || code=$?
for place in ${places.toReversed().join(' ')}; do
  if mountpoint -q "$place" && ! umount "$place"; then touch busy; exit; fi
done
echo "$code" >exit
`
}

function mountLines({ type, at, options = [], readOnly = false }: Disk, index: number): string {
  const all = [readOnly ? 'ro' : 'rw', ...options].map(quote).join()
  return `mkdir -p ${quote(at)}\nmount -t ${quote(type)} -o ${all} /dev/ubd${LETTERS[index]} ${quote(at)}`
}

// As many disks as the kernel has names for.
const LETTERS = 'abcdefghijklmnop'

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
