import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { expect, test } from 'vitest'
import { auditUser } from './audit-user.ts'

test('names the user of the process, and who logged in where the kernel or the environment tells', async () => {
  const { uid, username } = userInfo()
  const kernel = (await readFile('/proc/self/loginuid', 'utf8').catch(() => '4294967295')).trim()
  const behindSudo = await auditUser({ SUDO_USER: 'alice', LOGNAME: 'root' })
  expect(behindSudo).toMatchObject({ uid, name: username })
  if (kernel === '4294967295') {
    expect(behindSudo.login).toBe('alice')
    expect((await auditUser({ LOGNAME: 'bob' })).login).toBe('bob')
    expect(await auditUser({})).not.toHaveProperty('login')
  } else {
    // Nobody can talk the kernel out of it.
    expect(behindSudo.login).toBe((await auditUser({})).login)
  }
})
