import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Exit, strongest, type ExitCode } from './exit.ts'

const anyExit = fc.constantFrom(...Object.values(Exit))

test.each<[readonly ExitCode[], ExitCode]>([
  [[], 0],
  [[0], 0],
  [[0, 0], 0],
  [[1, 0], 1],
  [[0, 65, 1], 65],
  [[66, 65], 66],
  [[83, 84], 84],
  [[85, 74], 74],
  [[74, 76], 76],
  [[76, 81], 81],
  [[81, 82], 82],
  [[82, 80], 80],
  [[80, 70], 70],
  [[70, 130], 130],
  [[130, 143], 143],
  [[1, 85, 84, 83, 78, 77, 76, 75, 74, 82, 81, 80], 80],
])('strongest(%j) is %i', (exits, expected) => {
  expect(strongest(exits)).toBe(expected)
})

test('the strongest exit is one of those given, whatever their order or number', () => {
  fc.assert(
    fc.property(fc.array(anyExit, { minLength: 1 }), fc.array(anyExit), (exits, more) => {
      const found = strongest(exits)
      expect(exits).toContain(found)
      expect(strongest(exits.toReversed())).toBe(found)
      expect(strongest([...exits, ...exits])).toBe(found)
      // What is decided in parts is decided as at once: the order in which parallel work ends does not matter.
      expect(strongest([found, strongest(more)])).toBe(strongest([...more, ...exits]))
    }),
  )
})

test('success is the exit only where nothing else happened', () => {
  fc.assert(
    fc.property(fc.array(anyExit), (exits) => {
      expect(strongest(exits) === Exit.OK).toBe(exits.every((exit) => exit === Exit.OK))
    }),
  )
})
