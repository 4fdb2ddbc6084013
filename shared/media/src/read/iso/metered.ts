import { volumeInvalid } from '../volume-invalid.ts'
import type { Image } from './image.ts'

const MAX_METADATA = 1024 ** 3
/** Volume descriptors may be read from an image that is hardly larger than they are. */
const SLACK = 1024 ** 2

/**
 * An image of which no more is read than it has, and no more than metadata of a million files takes: honest directories and
 * continuations do not overlap, and so none of a few bytes can keep us busy for hours. `read` throws VOLUME_INVALID.
 */
export function metered(image: Image): Image {
  const most = Math.min(image.size + SLACK, MAX_METADATA)
  let left = most
  return {
    ...image,
    read: async (position, length) => {
      left -= length
      if (left < 0)
        throw volumeInvalid('its directories are larger than it is itself', image.place, { expected: most })
      return image.read(position, length)
    },
  }
}
