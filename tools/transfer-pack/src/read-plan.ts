import { badValue, type Context } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { PlannedVolume, TransferPlan } from '@carryall/schemas'

/** The one plan that the operand, or stdin, holds. */
export async function readPlan(context: Context, operands: readonly string[]): Promise<TransferPlan> {
  const plans: TransferPlan[] = []
  for await (const { document } of context.documents(operands, ['TransferPlan']))
    plans.push(document as TransferPlan)
  const [plan] = plans
  if (plan !== undefined && plans.length === 1) return plan
  throw new CarryallError('SCHEMA_INVALID', `${plans.length} plans were given; one is wanted`, {
    hint: 'Run transfer-pack once for each plan',
  })
}

/** The volumes to write, by number; all where none are named. Throws USAGE_BAD_VALUE. */
export function selectVolumes(plan: TransferPlan, named: readonly string[]): readonly PlannedVolume[] {
  if (named.length === 0) return plan.volumes
  const wanted = new Set(
    named.map((text) => {
      const volume = plan.volumes.find(({ number }) => String(number) === text)
      if (volume === undefined) throw badValue(text, `a volume of the plan, from 1 to ${plan.volumes.length}`)
      return volume
    }),
  )
  return plan.volumes.filter((volume) => wanted.has(volume))
}
