import { join } from 'node:path'
import { commitFile } from '@carryall/durable'
import { CarryallError, CODES, type ErrorCode } from '@carryall/errors'
import type { ChainState } from '@carryall/schemas'
import { checkFiles, readShipment, type LandingDirectory, type Shipment } from '@carryall/shipment'
import { raise, updateChainState, withPending } from '@carryall/site'
import { isReset, type Admission } from './admit.ts'
import type { OpenShipment } from './intake.ts'
import { scanFiles } from './scan.ts'
import type { Site } from './site.ts'

export interface PublishPorts {
  readonly site: Site
  readonly now: () => Date
  readonly signal: AbortSignal
  /** It has its name: what is to be done before the mark stands for it. A run that is killed there is settled by the next. */
  readonly landed: () => Promise<void>
}

/**
 * Publishes a shipment that is whole: its small files beside the others, names and sizes compared once more, each file shown
 * to the scan program, the links that were passed over recorded, the state told what is coming, one rename, `landed`, the mark raised.
 * Throws SCAN_REFUSED, FILE_* (82), OUTPUT_EXISTS, and as `commitFile` does.
 */
export async function publishShipment(
  { arriving, stage }: OpenShipment,
  admission: Admission,
  landing: LandingDirectory,
  { site, now, signal, landed }: PublishPorts,
): Promise<void> {
  const { signed, headstones } = admission.judgement
  for (const [name, bytes] of arriving.files) await commitFile(join(stage.tree, name), bytes, { sync: false })
  await requireWhole(await readShipment(stage.tree))
  if (site.scan !== undefined) await scanFiles(stage.tree, arriving.metadata.files, site.scan, signal)
  const passed = new Set(headstones.map((one) => one.metadataDigest))
  for (const link of admission.arriving)
    if (passed.has(link.metadataDigest) && link.metadata.sequence_number < arriving.metadata.sequence_number)
      await landing.pass(link.metadata.name, link.files)
  const remember = (change: (state: ChainState) => ChainState): Promise<unknown> =>
    updateChainState(
      site.stateDir,
      admission.chain.id,
      (state) => change(state ?? admission.judgement.state),
      {
        holder: 'transfer-unpack',
      },
    )
  await remember((state) => {
    // A push may have accepted another history since this set was judged.
    raise(state, arriving, { now: now(), signed, landed: true })
    return withPending(state, arriving, { now: now(), signed })
  })
  try {
    await landing.land(stage.tree, arriving.metadata.name)
  } catch (error) {
    await stage.distrust().catch(() => undefined)
    throw error
  }
  await landed()
  await remember((state) => raise(state, arriving, { now: now(), signed, landed: true }))
}

/** Writes what the judge made of the state: settled after a run that was killed, or made anew where that was accepted. */
export async function rememberJudged(admission: Admission, site: Site): Promise<void> {
  const reset = isReset(admission)
  const { chain, judgement } = admission
  await updateChainState(
    site.stateDir,
    chain.id,
    (state) => (reset || state === undefined || state.pending !== undefined ? judgement.state : state),
    { holder: 'transfer-unpack', acceptStateReset: reset },
  )
}

async function requireWhole(staged: Shipment): Promise<void> {
  const fault = (await checkFiles(staged, { mode: 'fast' })).faults[0]
  if (fault === undefined) return
  const code = (fault.code in CODES ? fault.code : 'INDEX_MISMATCH') as ErrorCode
  throw new CarryallError(
    code,
    `${staged.metadata.name} was put together, and is not right: ${fault.message}`,
    {
      subject: { kind: 'shipment', name: staged.metadata.name },
      ...(fault.expected === undefined ? {} : { expected: fault.expected }),
      ...(fault.actual === undefined ? {} : { actual: fault.actual }),
      hint: 'Nothing of it was published; have its volumes made again',
    },
  )
}
