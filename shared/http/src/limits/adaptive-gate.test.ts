import { expect, test } from 'vitest'
import { AdaptiveGate, type Lane, type Place } from './adaptive-gate.ts'

/** Whether a place is to be had now; it is left again if so. */
async function isOpen(gate: AdaptiveGate, lane: Lane = 'down'): Promise<boolean> {
  const stop = new AbortController()
  const place = gate.enter(lane, stop.signal).catch(() => undefined)
  const got = await Promise.race([place, new Promise<undefined>((none) => setImmediate(none, undefined))])
  if (got === undefined) stop.abort()
  else gate.leave(got)
  return got !== undefined
}

const take = (gate: AdaptiveGate, count: number, lane: Lane = 'down'): Promise<Place[]> =>
  Promise.all(Array.from({ length: count }, () => gate.enter(lane, undefined)))

test('so many places and no more, in the order of the calls', async () => {
  const gate = new AdaptiveGate(2)
  const [first] = await take(gate, 2)
  const order: number[] = []
  const waiting = [1, 2, 3].map((n) =>
    gate.enter('down', undefined).then((place) => {
      order.push(n)
      gate.leave(place)
    }),
  )
  expect(await isOpen(gate)).toBe(false)
  gate.leave(first!)
  await Promise.all(waiting)
  expect(order).toEqual([1, 2, 3])
})

test('uploads take no place of the others', async () => {
  const gate = new AdaptiveGate(1)
  await take(gate, 1, 'up')
  expect(await isOpen(gate, 'up')).toBe(false)
  expect(await isOpen(gate, 'down')).toBe(true)
})

test('what began together narrows it once; down to one place', async () => {
  const gate = new AdaptiveGate(9)
  const places = await take(gate, 3)
  expect(places.map((place) => gate.narrow(place))).toEqual([4, undefined, undefined])
  const after = async () => {
    const place = await gate.enter('up', undefined)
    gate.leave(place)
    return gate.narrow(place)
  }
  expect([await after(), await after(), await after()]).toEqual([2, 1, undefined])
})

test('it widens by one for as many successes as it has places, and not past its limit', async () => {
  const gate = new AdaptiveGate(4)
  const [early] = await take(gate, 1)
  gate.narrow(early!)
  gate.leave(early!)
  const [one, two] = await take(gate, 2)
  gate.widen(early!)
  gate.widen(one!)
  expect(await isOpen(gate)).toBe(false)
  gate.widen(two!)
  expect(await isOpen(gate)).toBe(true)
  for (let i = 0; i < 100; i += 1) gate.widen(one!)
  await take(gate, 2)
  expect(await isOpen(gate)).toBe(false)
})

test('widening lets in who waits', async () => {
  const gate = new AdaptiveGate(2)
  const [first] = await take(gate, 1)
  gate.narrow(first!)
  const waiting = gate.enter('down', undefined)
  gate.widen({ lane: 'down', epoch: 1 })
  expect((await waiting).epoch).toBe(1)
})

test('who does not want to wait any more takes no place', async () => {
  const gate = new AdaptiveGate(1)
  const [first] = await take(gate, 1)
  const stop = new AbortController()
  const waiting = gate.enter('down', stop.signal)
  stop.abort(new Error('stop'))
  await expect(waiting).rejects.toThrow('stop')
  gate.leave(first!)
  expect(await isOpen(gate)).toBe(true)
  await expect(gate.enter('down', AbortSignal.abort(new Error('no')))).rejects.toThrow('no')
})
