/** Where a file of an image comes from: a file, or a piece of one. */
export interface ImageFile {
  readonly stored: string
  readonly source: string
  readonly piece?: { readonly offset: number; readonly size: number }
}

/** 1980-01-01, the first day of FAT: an image tells nothing of when it was made, so that the same volume is the same bytes. */
const DATE = { seconds: '=315532800', digits: '1980010100000000' } as const

/** Arguments of xorriso for an image with these files, by a file of commands. Pure. */
export function imageArguments(target: string, volumeId: string, commands: string): readonly string[] {
  return [
    ...['-no_rc', '-abort_on', 'FAILURE', '-report_about', 'WARNING'],
    ...['-outdev', `stdio:${target}`, '-volid', volumeId, '-joliet', 'off', '-padding', '0'],
    ...['uuid', 'c', 'm'].flatMap((which) => ['-volume_date', which, DATE.digits]),
    ...['-volume_date', 'all_file_dates', DATE.seconds],
    ...['-options_from_file', commands],
    ...['-chown_r', '0', '/', '--', '-chgrp_r', '0', '/', '--'],
    ...['-find', '/', '-type', 'f', '-exec', 'chmod', '0444', '--'],
    ...['-find', '/', '-type', 'd', '-exec', 'chmod', '0555', '--'],
    '-end',
  ]
}

/** The commands that put these files into the image, one line each: a command line would be too long. Pure. */
export function imageCommands(files: readonly ImageFile[]): string {
  return files
    .map(({ stored, source, piece }) =>
      piece === undefined
        ? `-map ${quoted(source)} ${quoted(`/${stored}`)}\n`
        : `-cut_out ${quoted(source)} ${piece.offset} ${piece.size} ${quoted(`/${stored}`)}\n`,
    )
    .join('')
}

/** One word for xorriso, which knows both quotes and joins what stands side by side. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`
}
