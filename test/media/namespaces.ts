import { readdir, readFile, readlink } from 'node:fs/promises'

interface Process {
  readonly pid: number
  readonly parent: number
  readonly state: string
  /** Its namespace of process ids, as in `pid:[4026531836]`. */
  readonly namespace: string
}

/** The namespaces of process ids that the descendants of a process have, and it has not. */
export async function namespacesBelow(pid: number): Promise<ReadonlySet<string>> {
  const all = await processes()
  const family = new Set([pid])
  // A set that grows while it is walked: children of children come later.
  for (const one of family) for (const child of all) if (child.parent === one) family.add(child.pid)
  const own = all.find((one) => one.pid === pid)?.namespace
  return new Set(
    all.filter((one) => family.has(one.pid) && one.namespace !== own).map(({ namespace }) => namespace),
  )
}

/** The processes in any of these namespaces, whoever their parent is now; not those that only wait to be reaped. */
export async function processesIn(namespaces: ReadonlySet<string>): Promise<readonly number[]> {
  const found = (await processes()).filter((one) => namespaces.has(one.namespace) && one.state !== 'Z')
  return found.map(({ pid }) => pid)
}

async function processes(): Promise<readonly Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  // One that ends meanwhile is not there.
  const found = await Promise.all(pids.map((pid) => processOf(pid).catch(() => undefined)))
  return found.filter((one) => one !== undefined)
}

async function processOf(pid: number): Promise<Process> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // After the name, which may hold anything.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { pid, parent: Number(parent), state: state!, namespace: await readlink(`/proc/${pid}/ns/pid`) }
}
