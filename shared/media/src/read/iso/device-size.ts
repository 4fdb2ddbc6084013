const FIRST = 64 * 1024
const LAST = 2 ** 52
const STEP = 512

interface Readable {
  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>
}

/** Bytes of a block device, whose `stat` does not tell, found by reading single bytes. */
export async function deviceSize(handle: Readable): Promise<number> {
  const byte = Buffer.alloc(1)
  const isThere = async (position: number) => {
    try {
      return (await handle.read(byte, 0, 1, position)).bytesRead === 1
    } catch (error) {
      // A block that cannot be read is there all the same: run-out blocks of discs are such.
      if ((error as NodeJS.ErrnoException).code === 'EIO') return true
      throw error
    }
  }
  if (!(await isThere(0))) return 0
  let there = 0
  let beyond = FIRST
  while (beyond < LAST && (await isThere(beyond))) {
    there = beyond
    beyond *= 2
  }
  while (beyond - there > STEP) {
    const middle = there + Math.floor((beyond - there) / 2 / STEP) * STEP
    if (await isThere(middle)) there = middle
    else beyond = middle
  }
  return beyond
}
