import { access, readFile } from 'node:fs/promises'
import { runInProcess } from '@carryall/cli/testing'
import { command } from '@carryall/reg-serve'
import type { Scratch } from './scratch.ts'

/** A running `reg-serve DIRECTORY`. */
export interface ServedDirectory extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
}

/** Serves a content directory or a layout as a user does. */
export async function serveDirectory(scratch: Scratch, directory: string): Promise<ServedDirectory> {
  const portFile = scratch.at('port')
  let end = (): void => {}
  const ran = runInProcess(command, [directory, '--address', '127.0.0.1:0', '--port-file', portFile], {
    signals: (send) => (end = () => send('SIGTERM')),
  })
  const failed = ran.then(({ stderr }) => Promise.reject(new Error(`reg-serve ended: ${stderr}`)))
  failed.catch(() => undefined)
  const port = (await Promise.race([failed, present(portFile)])).trim()
  return {
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      end()
      await ran
    },
  }
}

async function present(file: string): Promise<string> {
  for (;;) {
    const found = await access(file).then(
      () => true,
      () => false,
    )
    if (found) return readFile(file, 'utf8')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
