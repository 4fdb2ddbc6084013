import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readRegistriesConf } from './read-registries-conf.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'registries-conf-'))
})
afterEach(() => rm(root, { recursive: true }))

async function write(path: string, ...locations: readonly string[]): Promise<string> {
  const file = join(root, path)
  await mkdir(dirname(file), { recursive: true })
  const tables = locations.map(
    (location) =>
      `[[registry]]\nprefix = "${location.split(' ')[0]}"\nlocation = "${location.split(' ').at(-1)}"\n`,
  )
  await writeFile(file, tables.join(''))
  return file
}

const read = async (options: { readonly file?: string; readonly env?: Record<string, string> } = {}) => {
  const env = { HOME: join(root, 'home'), ...options.env }
  const found = await readRegistriesConf({ ...options, env, system: join(root, 'etc') })
  return Object.fromEntries(found.map(({ prefix, location }) => [prefix, location]))
}

const USER = 'home/.config/containers/registries.conf'

test("the system's file, then the drop-ins by name, the user's last", async () => {
  await write('etc/registries.conf', 'a', 'b main', 'c main')
  await write('etc/registries.conf.d/20-late.conf', 'c late')
  await write('etc/registries.conf.d/10-early.conf', 'b early', 'c early')
  await write('etc/registries.conf.d/30.conf.rpmsave', 'c never')
  await write(`${USER}.d/own.conf`, 'a own', 'd')
  expect(await read()).toEqual({ a: 'own', b: 'early', c: 'late', d: 'd' })
})

test("the user's own file shuts out the system's", async () => {
  await write('etc/registries.conf', 'a')
  await write('etc/registries.conf.d/x.conf', 'b')
  await write(USER, 'c')
  await write(`${USER}.d/x.conf`, 'd')
  expect(await read()).toEqual({ c: 'c', d: 'd' })
})

test('$CONTAINERS_REGISTRIES_CONF replaces the main file, a file that is given all of them', async () => {
  await write('etc/registries.conf', 'a')
  await write('etc/registries.conf.d/x.conf', 'b')
  const named = await write('named.conf', 'c')
  expect(await read({ env: { CONTAINERS_REGISTRIES_CONF: named } })).toEqual({ c: 'c', b: 'b' })
  expect(await read({ file: named })).toEqual({ c: 'c' })
})

test('a file that is named has to be there, the others need not', async () => {
  expect(await read()).toEqual({})
  const none = join(root, 'none')
  for (const options of [{ file: none }, { env: { CONTAINERS_REGISTRIES_CONF: none } }])
    await expect(read(options)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
})
