/** Exit codes: sysexits.h where it has one, 80-85 for what this field adds, 128+n for signals. Frozen by a test. */
export const Exit = {
  OK: 0,
  PARTIAL: 1,
  USAGE: 64,
  DATA: 65,
  NOINPUT: 66,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  OSERR: 71,
  CANTCREAT: 73,
  IO: 74,
  TEMPFAIL: 75,
  PROTOCOL: 76,
  NOPERM: 77,
  CONFIG: 78,
  TRUST: 80,
  SEQUENCE: 81,
  INTEGRITY: 82,
  INCOMPLETE: 83,
  CONFLICT: 84,
  ROLLED_BACK: 85,
  SIGHUP: 129,
  SIGINT: 130,
  SIGPIPE: 141,
  SIGTERM: 143,
} as const

export type ExitCode = (typeof Exit)[keyof typeof Exit]

/** What says more than that something failed, however much else went well; the strongest first. */
export const STRONGEST_FIRST: readonly ExitCode[] = [
  Exit.SOFTWARE,
  Exit.TRUST,
  Exit.INTEGRITY,
  Exit.SEQUENCE,
  Exit.PROTOCOL,
  Exit.IO,
]

/**
 * The one exit code for several, whatever their order: signals first, then 70, 80, 82, 81, 76, 74, any other but 1 (the
 * highest of them), then 1, then 0.
 */
export function strongest(exits: Iterable<ExitCode>): ExitCode {
  const sorted = [...exits].toSorted((a, b) => b - a)
  const [highest = Exit.OK] = sorted
  if (highest > 128) return highest
  return STRONGEST_FIRST.find((exit) => sorted.includes(exit)) ?? highest
}
