import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { mustRun } from '../support/run.ts'
import type { Scratch } from '../support/scratch.ts'
import { initScript, type Start } from './init-script.ts'

const MODULES = '/usr/lib/uml/modules'
const MEMORY = '512M'

/** Writes what a guest needs to start into a directory of its own; returns its kernel parameters. */
export async function bootFiles(
  scratch: Scratch,
  { script, ...start }: Omit<Start, 'folder'> & { readonly script: string },
): Promise<readonly string[]> {
  const program = { mode: 0o755 }
  await writeFile(scratch.at('modprobe'), await loaderOf(scratch.at('modules')), program)
  await writeFile(scratch.at('init'), initScript({ ...start, folder: scratch.path }), program)
  await writeFile(scratch.at('script'), script)
  // Under plain names: a parameter splits at commas and colons, and all of them at spaces.
  for (const [index, { file }] of start.disks.entries())
    await symlink(resolve(file), scratch.at(`disk${index}`))
  return [
    `mem=${MEMORY}`,
    ...['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=${scratch.at('init')}`],
    ...[`uml_dir=${scratch.path}/`, 'umid=guest', 'con=null', 'con0=null,fd:1'],
    ...start.disks.map(
      ({ readOnly }, index) => `ubd${index}${readOnly ? 'r' : ''}=${scratch.at(`disk${index}`)}`,
    ),
  ]
}

/** The program by which the kernel loads its modules. Their index is not in the package, and does not belong beside it. */
async function loaderOf(folder: string): Promise<string> {
  const release = (await mustRun('linux.uml', ['--version'])).toString().trim()
  const modules = join(folder, 'lib/modules', release)
  await mkdir(modules, { recursive: true })
  await symlink(join(MODULES, release, 'kernel'), join(modules, 'kernel'))
  await mustRun('depmod', ['-b', folder, release])
  return `#!/bin/sh\nPATH=/usr/sbin:/sbin:/usr/bin:/bin exec modprobe -d ${folder} "$@"\n`
}
