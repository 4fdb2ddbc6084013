import type { Context } from '@carryall/cli'
import { connectStores, type Stores } from '@carryall/oci'
import type { PushFlags } from './command.ts'

/** The stores that the flags describe. */
export function connect(context: Context, flags: PushFlags): Promise<Stores> {
  return connectStores({
    env: context.env,
    userAgent: `${context.tool.name}/${context.tool.version}`,
    authfile: flags['dest-authfile'],
    caFile: flags['dest-ca-file'],
    tlsVerify: flags['dest-tls-verify'],
    plainHttp: flags['plain-http'],
    allowedRealms: flags['allow-realm'],
    retry: {
      times: flags['retry-times'],
      delayMs: flags['retry-delay'] * 1000,
      onRetry: ({ error, delayMs }) => context.log.debug(`Trying again in ${delayMs} ms: ${error.message}`),
    },
  })
}
