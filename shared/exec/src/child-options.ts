import { PROGRAM_PATH } from './find-program.ts'

/** How long a program may take to end after SIGTERM; then it is killed. */
const GRACE_MS = 2000

/** execa takes any descriptor, its types only these. */
type ExtraFd = 3 | 4 | 5 | 6 | 7 | 8 | 9

/** What every way of running a program takes. */
export interface ProgramOptions {
  /** Added to the clean environment: PATH, LC_ALL=C.UTF-8 and HOME=/. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Open descriptors that the program gets as 3, 4 … */
  readonly inheritFds?: readonly number[]
  /** Exit codes that are no failure; 0 if absent. */
  readonly okExits?: readonly number[]
  readonly signal?: AbortSignal
  /** The Debian package that brings the program, for the hint. */
  readonly package?: string
}

/** The rules that hold for every program: a clean environment, bytes as they are, ended with its process group. */
export function childOptions(options: ProgramOptions) {
  return {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    env: { PATH: PROGRAM_PATH, LC_ALL: 'C.UTF-8', HOME: '/', ...options.env },
    extendEnv: false,
    encoding: 'buffer',
    stripFinalNewline: false,
    killDescendants: true,
    forceKillAfterDelay: GRACE_MS,
    reject: false,
  } as const
}

/** The descriptors behind stdin, stdout and stderr. */
export function extraFds({ inheritFds = [] }: ProgramOptions): readonly ExtraFd[] {
  return inheritFds as readonly ExtraFd[]
}
