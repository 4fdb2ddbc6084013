import { CarryallError, registerSecret } from '@carryall/errors'
import type { Context } from './command.ts'

/**
 * A secret from stdin, less the line end, or asked for at the terminal; `redact` masks it from then on. Throws INPUT_EMPTY,
 * USAGE_CONFLICT where something else has read stdin, and what `askSecret` throws.
 */
export async function readSecret(context: Context, prompt: string, fromStdin: boolean): Promise<string> {
  const secret = fromStdin ? await readStdin(context) : await context.askSecret(prompt)
  if (secret !== '') return secret
  throw new CarryallError('INPUT_EMPTY', `${prompt} is empty`)
}

async function readStdin({ stdin }: Context): Promise<string> {
  if (stdin.readableEnded || stdin.destroyed)
    throw new CarryallError('USAGE_CONFLICT', 'Stdin is wanted twice; it can be read once')
  const { buffer } = await import('node:stream/consumers')
  const secret = (await buffer(stdin)).toString('utf8').replace(/\r?\n$/, '')
  registerSecret(secret)
  return secret
}
