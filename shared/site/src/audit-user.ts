import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { run } from '@carryall/exec'
import type { AuditEntry } from '@carryall/schemas'

/** What the kernel says where nobody has logged in, such as in a service. */
const UNSET = '4294967295'

/**
 * Who runs this: the user of the process, and who logged in. The kernel's own record of that comes first, since sudo and
 * su leave it as it is and nobody can change it; the environment counts where there is none.
 */
export async function auditUser(
  env: Readonly<Record<string, string | undefined>>,
): Promise<AuditEntry['user']> {
  const { uid, name } = processUser()
  const login = (await loginUser()) ?? env['SUDO_USER'] ?? env['LOGNAME']
  return { uid, ...(name === undefined ? {} : { name }), ...(login ? { login } : {}) }
}

function processUser(): { readonly uid: number; readonly name?: string } {
  try {
    const { uid, username } = userInfo()
    return { uid, name: username }
  } catch {
    // A container may run as a user that has no name.
    return { uid: userInfo().uid }
  }
}

async function loginUser(): Promise<string | undefined> {
  const uid = await readFile('/proc/self/loginuid', 'utf8').catch(() => UNSET)
  if (uid.trim() === UNSET) return undefined
  const found = await run('getent', ['passwd', '--', uid.trim()], { package: 'libc-bin' }).catch(
    () => undefined,
  )
  return found?.stdout.toString().split(':')[0] || `uid ${uid.trim()}`
}
