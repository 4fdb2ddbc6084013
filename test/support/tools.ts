import { runInProcess, type Ran, type RunOptions } from '@carryall/cli/testing'
import { command as mirrorSeqCommand } from '@carryall/mirror-seq'
import { command as regSyncCommand } from '@carryall/reg-sync'
import { command as seqMetaCommand } from '@carryall/seq-meta'
import { command as seqPushCommand } from '@carryall/seq-push'
import { makeScratch } from './scratch.ts'

type Tool = (argv: readonly string[], options?: RunOptions) => Promise<Ran>

/** The tools as a user calls them, argv to exit code, in this process. */
export const mirrorSeq: Tool = (argv, options) => runInProcess(mirrorSeqCommand, argv, options)
export const seqMeta: Tool = (argv, options) => runInProcess(seqMetaCommand, argv, options)

/** On a machine that remembers nothing of the chain, unless `env.CARRYALL_STATE_DIR` says where it does. */
export const seqPush: Tool = async (argv, options = {}) => {
  await using state = await makeScratch()
  const env = { CARRYALL_STATE_DIR: state.path, ...options.env }
  return await runInProcess(seqPushCommand, argv, { ...options, env })
}

/** On a machine without journals of its own, unless `env.CARRYALL_STATE_DIR` says where they are. */
export const regSync: Tool = async (argv, options = {}) => {
  await using state = await makeScratch()
  const env = { CARRYALL_STATE_DIR: state.path, ...options.env }
  return await runInProcess(regSyncCommand, argv, { ...options, env })
}
