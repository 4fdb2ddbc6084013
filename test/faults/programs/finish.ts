import { errorObject } from '@carryall/errors'

/** Ends as a tool does: the error object on stderr, its exit code. A bare errno of a simple writer is 74. */
export async function finish(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).errno
    const { code, exit, message } = errorObject(error)
    console.error(JSON.stringify({ code, message }))
    process.exitCode = errno === undefined ? exit : 74
  }
}
