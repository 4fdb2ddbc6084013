import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createHttp } from '@carryall/http'
import { type Destination, openRegistry } from '@carryall/oci'
import type { FakeServer } from './fake-server.ts'

const run = promisify(execFile)

/** The clients that a real product meets, logged in. */
export interface Driver extends AsyncDisposable {
  readonly registry: Destination
  /** Runs skopeo; gives what it writes. */
  skopeo(verb: 'copy' | 'inspect' | 'list-tags' | 'delete', ...operands: readonly string[]): Promise<string>
}

export async function driveWith(
  server: Pick<FakeServer, 'host'>,
  login: { readonly username: string; readonly password: string },
): Promise<Driver> {
  const { host } = server
  const directory = await mkdtemp(join(tmpdir(), 'drive-'))
  const authfile = join(directory, 'auth.json')
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64')
  await writeFile(authfile, JSON.stringify({ auths: { [host]: { auth } } }), { mode: 0o600 })
  const http = createHttp({ retry: { times: 0 } })
  const credentials = { find: async () => login, describe: () => 'test' }
  const plain = (verb: string) =>
    verb === 'copy' ? ['--src-tls-verify=false', '--dest-tls-verify=false'] : ['--tls-verify=false']
  return {
    registry: openRegistry({ host }, { http, credentials }),
    skopeo: async (verb, ...operands) =>
      (await run('skopeo', [verb, '--authfile', authfile, ...plain(verb), ...operands])).stdout,
    [Symbol.asyncDispose]: async () => {
      await http.close()
      await rm(directory, { recursive: true })
    },
  }
}
