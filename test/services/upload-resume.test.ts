import { createHttp } from '@carryall/http'
import { startCuttingProxy } from '@carryall/http/testing'
import { ANONYMOUS, openRegistry } from '@carryall/oci'
import { sampleBlob } from '@carryall/oci/testing'
import { expect, onTestFinished, test } from 'vitest'
import { makeScratch } from '../support/scratch.ts'
import { startServing } from '../support/serving.ts'

const MIB = 1 << 20
const { descriptor, bytes } = sampleBlob({ seed: 'half-sent', size: 40 * MIB + 7 })
// Heads of requests; what is sent before one hears that the end of the last request is still being read.
const SLACK = MIB

/** reg-serve behind a proxy that cuts the connections that bring bytes, each after as many as `after` says. */
async function uploaded(after: readonly number[]) {
  const scratch = await makeScratch()
  const served = await startServing(scratch.at('layout'))
  const proxy = await startCuttingProxy(Number(served.host.split(':')[1]))
  const http = createHttp({ retry: { times: 2, delayMs: 300 } })
  onTestFinished(async () => {
    await http.close()
    await proxy[Symbol.asyncDispose]()
    await served[Symbol.asyncDispose]()
    await scratch[Symbol.asyncDispose]()
  })
  const bodies = () => proxy.connections.filter(({ request }) => /^(?:PUT|PATCH) /.test(request))
  proxy.cut = (connection) => (bodies().includes(connection) ? after[bodies().length - 1] : undefined)
  async function* open(offset = 0) {
    for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
  }
  const registry = openRegistry({ host: proxy.host }, { http, credentials: ANONYMOUS })
  const outcome = await registry.putBlob('app', descriptor, open, { seekable: true })
  const stored = await Array.fromAsync(served.store.blob('app', descriptor), (chunk) => Buffer.from(chunk))
  return {
    outcome,
    exact: Buffer.concat(stored).equals(bytes),
    wire: bodies().reduce((sum, { sent }) => sum + sent, 0),
    methods: bodies().map(({ request }) => request.split(' ')[0]),
  }
}

// What came of a PUT that broke off is gone in reg-serve; what PATCHes brought stays.
test.each([[[5 * MIB]], [[5 * MIB, 12 * MIB]], [[2 * MIB, 20 * MIB, 1000, 3 * MIB, 15 * MIB]]])(
  'an upload to reg-serve that was cut at %j goes on where it was',
  async (after) => {
    const { outcome, exact, wire, methods } = await uploaded(after)
    expect([outcome, exact]).toEqual(['uploaded', true])
    expect(methods[0]).toBe('PUT')
    expect(new Set(methods.slice(1))).toEqual(new Set(['PATCH']))
    expect(wire).toBeLessThan(after[0]! + bytes.length + after.length * SLACK)
  },
)
