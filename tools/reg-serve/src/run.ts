import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Context, Outcome } from '@carryall/cli'
import { commitFile, removeTree } from '@carryall/durable'
import { errorObject, isCarryallError } from '@carryall/errors'
import { parseAddress } from './address.ts'
import { openDirectory } from './io.ts'
import { serve, type Served } from './serve.ts'

export interface ServeFlags {
  readonly address: string
  readonly 'read-only': boolean
  readonly 'port-file': string | undefined
}

/** Serves until a signal comes, then ends with that signal's exit code and no document. */
export async function runServer(
  context: Context,
  flags: ServeFlags,
  [operand = '.']: readonly string[],
): Promise<Outcome> {
  const { log, signal, cwd, tool, waitSeconds } = context
  const address = parseAddress(flags.address)
  const directory = resolve(cwd, operand)
  const readOnly = flags['read-only']
  const holder = `${tool.name} ${tool.version}`
  const opened = await openDirectory(directory, { write: !readOnly, waitSeconds, holder, signal })
  try {
    const server = await serve(opened.store, {
      ...address,
      readOnly,
      onServed: (served) => report(context, served),
    })
    const portFile = flags['port-file'] === undefined ? undefined : resolve(cwd, flags['port-file'])
    try {
      if (portFile !== undefined) await commitFile(portFile, `${server.port}\n`)
      const what =
        opened.kind === 'content'
          ? 'the sequences in'
          : readOnly
            ? 'the OCI layout (read-only) in'
            : 'the OCI layout in'
      log.info(`Serving ${what} ${directory} at ${server.url}`, { port: server.port, kind: opened.kind })
      if (!signal.aborted) await once(signal, 'abort')
    } finally {
      if (portFile !== undefined) await removeTree(portFile)
      await server.close()
    }
  } finally {
    await opened.close()
  }
  return { items: [], ...(isCarryallError(signal.reason) ? { exit: signal.reason.exit } : {}) }
}

function report({ log }: Context, { method, path, status, milliseconds, error }: Served): void {
  if (error !== undefined) log.warn(`${method} ${path} failed: ${errorObject(error).message}`, { status })
  log.debug(`${method} ${path} ${status}`, { milliseconds: Math.round(milliseconds) })
}
