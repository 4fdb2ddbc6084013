import { cac } from 'cac'
import { expect, test } from 'vitest'
import { parseArgv } from './parse-argv.ts'
import { probe } from './testing/probe.ts'

async function parse(...argv: string[]) {
  const { verb, given, operands } = await parseArgv(probe, argv)
  return { verb: verb?.name, given: Object.fromEntries(given), operands }
}

const fails = (code: string, hint?: string) =>
  expect.objectContaining({
    code,
    ...(hint === undefined
      ? {}
      : { details: expect.objectContaining({ hint: expect.stringContaining(hint) }) }),
  }) as Error

test('cac alone has the traps that are closed here', () => {
  const cli = cac('x')
  cli.command('[...operands]')
  cli.option('--description <text>', '')
  const { args, options } = cli.parse(['', '', 'a', '-', 'b', '--description', '1.10'], { run: false })
  expect(args).not.toContain('-')
  expect(options['description']).not.toBe('1.10')
})

test('the operand - survives, before and after others', async () => {
  expect(await parse('show', '-')).toMatchObject({ verb: 'show', operands: ['-'] })
  expect((await parse('echo', 'a', '-', 'b')).operands).toEqual(['a', '-', 'b'])
})

test.each([
  '1.10',
  '00012',
  '',
  '-',
  '-x',
  '--',
  '--help',
  '12345678901234567890',
  'true',
  'a=b',
  ' ',
  '1e3',
  'äö',
  '0x10',
])('the value %j arrives exactly, in all ways of writing it', async (value) => {
  const given = { description: [value] }
  expect((await parse('echo', '--description', value)).given).toEqual(given)
  expect((await parse('echo', `--description=${value}`)).given).toEqual(given)
  expect((await parse('echo', '-d', value)).given).toEqual(given)
  if (value !== '') expect((await parse('echo', `-d${value}`)).given).toEqual(given)
})

test('numeric operands stay text', async () => {
  expect((await parse('echo', '1.10', '007')).operands).toEqual(['1.10', '007'])
})

test('after -- everything is an operand', async () => {
  expect(await parse('echo', '-q', '--', '--description', '-n', '--', 'echo')).toEqual({
    verb: 'echo',
    given: { quiet: ['true'] },
    operands: ['--description', '-n', '--', 'echo'],
  })
})

test('the name of a verb is a verb only where a verb is due', async () => {
  expect(await parse('echo', 'show')).toMatchObject({ verb: 'echo', operands: ['show'] })
  expect(await parse('--description', 'show', 'echo')).toMatchObject({
    verb: 'echo',
    given: { description: ['show'] },
  })
  await expect(parse('--', 'echo')).rejects.toThrow(fails('USAGE_UNKNOWN_COMMAND'))
})

test('toggles: on, off, negated, in a cluster; never eating an operand', async () => {
  expect(await parse('echo', '-n', 'word', '--no-signatures', '--overwrite=false', '-qv')).toEqual({
    verb: 'echo',
    given: {
      'dry-run': ['true'],
      signatures: ['false'],
      overwrite: ['false'],
      quiet: ['true'],
      verbose: ['true'],
    },
    operands: ['word'],
  })
  expect((await parse('echo', '--no-color')).given).toEqual({ 'no-color': ['true'] })
  expect((await parse('echo', '--no-color=false')).given).toEqual({ 'no-color': ['false'] })
})

test('values repeat in their order', async () => {
  expect((await parse('echo', '--tag', '1.0', '--tag=2', '--tag', '-')).given).toEqual({
    tag: ['1.0', '2', '-'],
  })
})

test('a cluster ends in a flag with a value', async () => {
  expect((await parse('echo', '-qojson')).given).toEqual({ quiet: ['true'], output: ['json'] })
  expect((await parse('echo', '-qo', 'yaml')).given).toEqual({ quiet: ['true'], output: ['yaml'] })
})

test('--schema takes its kind with a space, with = and not at all', async () => {
  expect((await parse('--schema', 'Settings')).given).toEqual({ schema: ['Settings'] })
  expect((await parse('--schema=Settings')).given).toEqual({ schema: ['Settings'] })
  expect((await parse('--schema')).given).toEqual({ schema: [''] })
  expect((await parse('--schema', '-q')).given).toEqual({ schema: [''], quiet: ['true'] })
})

test('what is unknown is refused with the nearest that is known', async () => {
  await expect(parse('ecko')).rejects.toThrow(fails('USAGE_UNKNOWN_COMMAND', 'echo'))
  await expect(parse()).rejects.toThrow(fails('USAGE_MISSING_OPERAND', 'echo'))
  await expect(parse('echo', '--descripton', 'x')).rejects.toThrow(
    fails('USAGE_UNKNOWN_FLAG', '--description'),
  )
  await expect(parse('echo', '-Z')).rejects.toThrow(fails('USAGE_UNKNOWN_FLAG'))
  await expect(parse('echo', '--__proto__=1')).rejects.toThrow(fails('USAGE_UNKNOWN_FLAG'))
  await expect(parse('echo', '--constructor')).rejects.toThrow(fails('USAGE_UNKNOWN_FLAG'))
  await expect(parse('echo', '--no-description')).rejects.toThrow(fails('USAGE_UNKNOWN_FLAG'))
})

test("another verb's flag is refused, and -n where nothing is written", async () => {
  await expect(parse('show', '--description', 'x')).rejects.toThrow(fails('USAGE_UNKNOWN_FLAG'))
  await expect(parse('show', '-n')).rejects.toThrow(fails('USAGE_UNKNOWN_FLAG'))
})

test('a value that is missing or too much is refused', async () => {
  await expect(parse('echo', '--description')).rejects.toThrow(fails('USAGE_BAD_VALUE'))
  await expect(parse('echo', '-d')).rejects.toThrow(fails('USAGE_BAD_VALUE'))
  await expect(parse('echo', '--no-signatures=true')).rejects.toThrow(fails('USAGE_BAD_VALUE'))
})

test('operands are counted', async () => {
  await expect(parse('act')).rejects.toThrow(fails('USAGE_MISSING_OPERAND'))
  await expect(parse('act', 'a', 'b')).rejects.toThrow(fails('USAGE_EXTRA_OPERAND'))
})
