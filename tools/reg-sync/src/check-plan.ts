import { CarryallError } from '@carryall/errors'
import type { PlannedSync, SyncPlan } from '@carryall/schemas'
import { destinationKey } from './finished.ts'

/**
 * Refuses a plan that does not hang together, as one that was edited by hand may not: SCHEMA_INVALID with the pointer of what is wrong.
 * What a plan may not do is left to those who do it.
 */
export function checkPlan({ images, blobs }: SyncPlan): void {
  const taken = new Map<string, number>()
  for (const [index, image] of images.entries()) {
    const wrong = fault(image, blobs)
    if (wrong !== undefined) throw invalid(`#/images/${index}${wrong.at}`, wrong.why)
    const key = destinationKey(image.destination, image.digest)
    if (taken.has(key))
      throw invalid(`#/images/${index}/destination`, `it is that of image ${taken.get(key)}, too`)
    taken.set(key, index)
  }
}

interface Fault {
  readonly at: string
  readonly why: string
}

function fault(image: PlannedSync, sizes: SyncPlan['blobs']): Fault | undefined {
  const { source, destination, digest, present, action, manifests, blobs } = image
  switch (action) {
    case 'copy':
    case 'move': {
      if (source === undefined) return { at: '', why: 'nothing says what it is to be copied from' }
      if (digest === undefined) return { at: '', why: 'nothing says which digest it has' }
      if (action === 'move' && present === undefined)
        return { at: '', why: 'nothing says what the tag names until then' }
      if (manifests?.at(-1) !== digest)
        return { at: '/manifests', why: 'the last one has to be the image itself' }
      if (blobs === undefined) return { at: '', why: 'nothing says which blobs belong to it' }
      const unknown = blobs.findIndex((one) => !Object.hasOwn(sizes, one))
      return unknown < 0 ? undefined : { at: `/blobs/${unknown}`, why: 'its size is not in "blobs"' }
    }
    case 'delete':
      return destination.tag === undefined ? { at: '/destination', why: 'no tag is named' } : undefined
    case 'none':
    case 'refuse':
      return undefined
  }
}

function invalid(pointer: string, why: string): CarryallError {
  return new CarryallError('SCHEMA_INVALID', `The plan does not hang together: ${why}`, {
    pointer,
    hint: 'Make it anew with reg-sync plan, and leave out there what is not to be done',
  })
}
