import { join } from 'node:path'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { ShipmentFile } from '@carryall/schemas'

const HOUR_MS = 3_600_000

export interface Scan {
  readonly program: string
  readonly args: readonly string[]
}

/**
 * Lets a program look at each file of a staged shipment: its path is the last argument, any exit but 0 refuses the
 * shipment. Throws SCAN_REFUSED (80) with the file, EXEC_NOT_FOUND, EXEC_TIMEOUT.
 */
export async function scanFiles(
  tree: string,
  files: readonly ShipmentFile[],
  { program, args }: Scan,
  signal: AbortSignal,
): Promise<void> {
  const { run } = await import('@carryall/exec')
  for (const { path } of files) {
    try {
      await run(program, [...args, join(tree, path)], { signal, timeoutMs: HOUR_MS })
    } catch (error) {
      if (!isCarryallError(error, 'EXEC_FAILED')) throw error
      throw new CarryallError(
        'SCAN_REFUSED',
        `${program} refused ${path}: nothing of this shipment was published`,
        {
          subject: { kind: 'file', name: path },
          ...(error.details.actual === undefined ? {} : { actual: error.details.actual }),
          hint: 'Look at the message of the scan program; the file is still in staging',
          cause: error,
        },
      )
    }
  }
}
