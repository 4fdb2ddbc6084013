import {createRequire} from 'node:module'
const require=createRequire(import.meta.url)
import { test, expect } from 'vitest'
import { startDockerRegistry } from '@carryall/oci/testing'
import { syncSet } from '../support/sync-set.ts'
import { storeImages, tagsIn, lacking } from '../support/sync-storage.ts'
import { regSync } from '../support/tools.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
test('x', async () => {
  let t = performance.now()
  const lap = (n: string) => { console.log(n, Math.round(performance.now() - t)); t = performance.now() }
  const images = syncSet(270, 3)
  lap('made')
  const src = await startDockerRegistry({storage:'/dev/shm/ss1'})
  const dst = await startDockerRegistry({storage:'/dev/shm/ss2'})
  await storeImages(src.storage, images)
  lap('stored')
  const p = await startFaultProxy(src.url)
  const q = await startFaultProxy(dst.url)
  const ran = await regSync([`docker://${p.host}`, `docker://${q.host}`, '--retry-delay', '10ms'])
  lap('sync'); for (const r of [src,dst]) console.log(require('fs').readFileSync('/proc/'+r.pid+'/stat','utf8').split(' ').slice(13,15)); console.log(process.cpuUsage())
  console.log(ran.exit, ran.stderr.slice(0, 500), JSON.stringify((ran.documents[0] as any).totals), p.requests.length, q.requests.length)
  const t1 = await tagsIn(src.storage)
  expect(await tagsIn(dst.storage)).toEqual(t1)
  lap('tags')
  const l = (await Promise.all(images.map(i => lacking(dst.storage, i)))).flat()
  lap('lacking')
  expect(l).toEqual([])
  await regSync([`docker://${p.host}`, `docker://${q.host}`, '--retry-delay', '10ms'])
  lap('noop')
  await src.stop(); await dst.stop()
})
