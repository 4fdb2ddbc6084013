import { failureKind } from './failure.ts'
import { imageSetConfigurationKind } from './image-set-configuration.ts'
import type { Kind } from './kind.ts'
import { mirrorPlanKind } from './mirror-plan.ts'
import { pushReportKind } from './push-report.ts'
import { receiptKind } from './receipt.ts'
import { sequenceDiffKind } from './sequence-diff.ts'
import { sequenceKind } from './sequence.ts'
import { settingsKind } from './settings.ts'
import { verificationKind } from './verification.ts'

/** Every document kind by name, in the order of their names. */
export const KINDS: Readonly<Record<string, Kind>> = Object.fromEntries(
  [
    failureKind,
    imageSetConfigurationKind,
    mirrorPlanKind,
    pushReportKind,
    receiptKind,
    sequenceDiffKind,
    sequenceKind,
    settingsKind,
    verificationKind,
  ].map((kind) => [kind.kind, kind as Kind]),
)
