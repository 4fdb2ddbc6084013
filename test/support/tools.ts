import { runInProcess, type Ran, type RunOptions } from '@carryall/cli/testing'
import { command as mirrorSeqCommand } from '@carryall/mirror-seq'
import { command as seqMetaCommand } from '@carryall/seq-meta'
import { command as seqPushCommand } from '@carryall/seq-push'

type Tool = (argv: readonly string[], options?: RunOptions) => Promise<Ran>

/** The tools as a user calls them, argv to exit code, in this process. */
export const mirrorSeq: Tool = (argv, options) => runInProcess(mirrorSeqCommand, argv, options)
export const seqMeta: Tool = (argv, options) => runInProcess(seqMetaCommand, argv, options)
export const seqPush: Tool = (argv, options) => runInProcess(seqPushCommand, argv, options)
