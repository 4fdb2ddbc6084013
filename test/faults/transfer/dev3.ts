import { makeChain } from './shipments.ts'
import { runInProcess } from '@carryall/cli/testing'
import { command } from '@carryall/transfer-plan'
await makeChain('/tmp/h/pk/source')
for (const size of ['3600000', '3800000', '4000000', '4600000']) {
  const ran = await runInProcess(
    command,
    ['/tmp/h/pk/source', '--have-nothing', '--media', size, '--filesystem', 'exfat'],
    { cwd: '/tmp/h/pk' },
  )
  console.log(
    ran.exit,
    ran.stderr.slice(0, 300),
    (ran.documents[0] as any)?.volumes?.map((v: any) =>
      v.entries.map((e: any) => e.stored + ' ' + e.size_bytes),
    ),
    (ran.documents[0] as any)?.chains[0].shipments.map((s: any) => s.carried),
  )
}
