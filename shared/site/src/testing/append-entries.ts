import { recordAudit } from '../audit-log.ts'

// A process of its own that records entries: `append-entries.ts STATE-DIR NAME COUNT`. Says "ready" after the first.
const [stateDir = '', name = '', count = '1'] = process.argv.slice(2)
for (let at = 0; at < Number(count); at++) {
  await recordAudit(
    stateDir,
    {
      tool: { name, version: '1' },
      user: { uid: 0 },
      action: 'land',
      target: `number ${at}`,
      outcome: 'done',
      overrides: [],
    },
    { now: () => new Date() },
  )
  if (at === 0) process.stdout.write('ready\n')
}
