import { CarryallError, registerSecret } from '@carryall/errors'
import type { Host } from './host.ts'

const ENTER = [0x0a, 0x0d]
const CTRL_C = 0x03
const CTRL_D = 0x04
const CTRL_U = 0x15
const BACKSPACE = [0x08, 0x7f]

/**
 * Asks for a secret at the terminal of the process, wherever stdin comes from. Nothing of it is shown, `redact` masks it from
 * then on, and the terminal is given back as it was, at Ctrl-C and signals, too. Throws USAGE_MISSING_OPERAND where there is
 * no terminal, INTERRUPTED at Ctrl-C, the signal's reason.
 */
export async function askSecret(
  host: Pick<Host, 'openTerminal'>,
  prompt: string,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  const terminal = host.openTerminal()
  if (terminal === undefined)
    throw new CarryallError('USAGE_MISSING_OPERAND', `Cannot ask for "${prompt}": there is no terminal`, {
      hint: 'Give the secret by a file or by stdin; -h names the flags',
    })
  const stop = (): void => void terminal.input.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    terminal.write(`${prompt}: `)
    const secret = await readLine(terminal.input)
    if (signal.aborted) throw signal.reason
    registerSecret(secret)
    return secret
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', stop)
    terminal.write('\n')
    terminal.close()
  }
}

/** The bytes up to Enter, as they are typed: a terminal that shows nothing edits nothing either. */
async function readLine(input: AsyncIterable<Buffer>): Promise<string> {
  const typed: number[] = []
  for await (const chunk of input) {
    for (const byte of chunk) {
      if (ENTER.includes(byte) || byte === CTRL_D) return Buffer.from(typed).toString('utf8')
      if (byte === CTRL_C) throw new CarryallError('INTERRUPTED', 'Stopped by Ctrl-C')
      if (byte === CTRL_U) typed.length = 0
      else if (BACKSPACE.includes(byte)) removeCharacter(typed)
      else if (byte >= 0x20) typed.push(byte)
    }
  }
  return Buffer.from(typed).toString('utf8')
}

function removeCharacter(typed: number[]): void {
  // The bytes of UTF-8 that go on with a character begin with 10.
  while (typed.length > 0 && (typed.pop()! & 0xc0) === 0x80);
}
