import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startDockerRegistry } from './docker-registry.ts'

const run = promisify(execFile)

test('a plain one answers and logs what it served', async () => {
  await using registry = await startDockerRegistry()
  expect((await fetch(`${registry.url}/v2/`)).status).toBe(200)
  await expect.poll(() => registry.requests()).toContainEqual({ method: 'GET', path: '/v2/', status: 200 })
})

test('one with a password and TLS takes skopeo in with both only', async () => {
  await using registry = await startDockerRegistry({ auth: { username: 'u', password: 'secret' }, tls: true })
  const list = (...flags: string[]) =>
    run('skopeo', ['list-tags', ...flags, `docker://${registry.host}/none`])
  await expect(list('--tls-verify=false', '--creds', 'u:wrong')).rejects.toThrow(
    /unauthorized|authentication/,
  )
  await expect(list('--creds', 'u:secret')).rejects.toThrow(/x509|certificate/)
  await expect(list('--tls-verify=false', '--creds', 'u:secret')).rejects.toThrow(/404/)
})

test('it is gone after stop', async () => {
  const registry = await startDockerRegistry()
  await registry.stop()
  expect(() => process.kill(registry.pid, 0)).toThrow()
  await expect(fetch(registry.url)).rejects.toThrow()
})
