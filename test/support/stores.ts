import { connectStores, type Stores } from '@carryall/oci'

/** Stores to put samples into: no credentials, nothing trusted but loopback. */
export function openStores(): Promise<Stores> {
  return connectStores({
    env: {},
    userAgent: 'carryall-test',
    tlsVerify: true,
    plainHttp: [],
    allowedRealms: [],
    retry: { times: 1, delayMs: 1 },
  })
}
