import { join } from 'node:path'
import { commitFile } from '@carryall/durable'
import { isCarryallError } from '@carryall/errors'
import { run } from '@carryall/exec'
import { plainBytes } from './dearmor.ts'
import { readPackets, Tag } from './packets.ts'
import { privateDirectory } from './private-directory.ts'
import { verdict, type Verdict } from './verdict.ts'

const MAX_SIGNATURE = 64 * 1024

/**
 * What gpgv says about each of these detached signatures over `data`, with a keyring of these keys alone. Every file lies
 * in a private directory for as long as it takes. Throws EXEC_NOT_FOUND, EXEC_FAILED, EXEC_TIMEOUT, IO_NO_SPACE and the
 * signal's reason.
 */
export async function verifyDetached(
  keyrings: readonly Buffer[],
  data: Buffer,
  signatures: readonly Buffer[],
  signal?: AbortSignal,
): Promise<readonly Verdict[]> {
  await using directory = await privateDirectory()
  const [keyring, signed, one] = ['keyring', 'signed', 'signature'].map((name) =>
    join(directory.path, name),
  ) as [string, string, string]
  await commitFile(keyring, Buffer.concat(keyrings), { mode: 0o600, sync: false })
  await commitFile(signed, data, { mode: 0o600, sync: false })
  const verdicts: Verdict[] = []
  for (const signature of signatures) {
    const packet = singlePacket(signature)
    if (!Buffer.isBuffer(packet)) {
      verdicts.push(packet)
      continue
    }
    await commitFile(one, packet, { mode: 0o600, sync: false })
    const { stdout, exitCode } = await run(
      'gpgv',
      ['--homedir', directory.path, '--keyring', keyring, '--status-fd', '1', '--', one, signed],
      { okExits: [0, 1, 2], package: 'gpgv', ...(signal === undefined ? {} : { signal }) },
    )
    verdicts.push(verdict(stdout.toString(), exitCode))
  }
  return verdicts
}

/** The one signature packet of a file, so that gpgv gets to see nothing else; or why it is none. */
function singlePacket(file: Buffer): Buffer | Verdict {
  if (file.length > MAX_SIGNATURE)
    return { signature: 'invalid', why: `it has more than ${MAX_SIGNATURE} bytes` }
  try {
    const bytes = plainBytes(file, 'SIGNATURE')
    const packets = readPackets(bytes)
    if (packets.length > 1) return { signature: 'invalid', why: 'it holds more than one signature' }
    if (packets[0]?.tag === Tag.SIGNATURE) return bytes
    return { signature: 'invalid', why: 'it is no detached signature' }
  } catch (error) {
    if (!isCarryallError(error, 'INPUT_SYNTAX')) throw error
    return { signature: 'invalid', why: `it is malformed: ${error.message}` }
  }
}
