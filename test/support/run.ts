import { execFile } from 'node:child_process'

/** How a program ended. */
export interface Ended {
  readonly exit: number | string
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs a program to its end, however it ends. */
export function run(
  file: string,
  argv: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, argv, { encoding: 'buffer', maxBuffer: 2 ** 28, ...options }, (error, stdout, stderr) => {
      resolve({
        exit: error === null ? 0 : (error.code ?? error.signal ?? 'unknown'),
        stdout,
        stderr: stderr.toString(),
      })
    })
  })
}

/** As `run`, for what has to end well: gives stdout. */
export async function mustRun(
  file: string,
  argv: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<Buffer> {
  const ended = await run(file, argv, options)
  if (ended.exit !== 0)
    throw new Error(`${file} ${argv.join(' ')} ended with ${ended.exit}:\n${ended.stderr}`)
  return ended.stdout
}
