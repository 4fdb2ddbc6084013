import { makeMedia, unpackArgv } from './unpack-cases.ts'
import { startSite } from './site.ts'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
await using site = await startSite('transfer-unpack')
const media = await makeMedia(site.scratch.path)
const root = site.scratch.at('r'); mkdirSync(root)
const argv=[...unpackArgv(site, root, media)]
const env={...process.env,SOURCE_DATE_EPOCH:'1800000000',CARRYALL_PROGRESS:'none'}
execFileSync(argv[0],argv.slice(1),{env})
execFileSync(process.execPath,['--cpu-prof','--cpu-prof-dir=/tmp/h/p/prof',...argv.slice(5)],{env})
console.log(argv.slice(4,6))
