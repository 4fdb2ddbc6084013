import { auditEntryKind } from './audit-entry.ts'
import { auditReportKind } from './audit-report.ts'
import { chainStateKind } from './chain-state.ts'
import { failureKind } from './failure.ts'
import { imageSetConfigurationKind } from './image-set-configuration.ts'
import { imageKind } from './image.ts'
import type { Kind } from './kind.ts'
import { listingKind } from './listing.ts'
import { mirrorPlanKind } from './mirror-plan.ts'
import { pushReportKind } from './push-report.ts'
import { receiptKind } from './receipt.ts'
import { sequenceDiffKind } from './sequence-diff.ts'
import { sequenceKind } from './sequence.ts'
import { settingsKind } from './settings.ts'
import { syncConfigKind } from './sync-config.ts'
import { syncEventKind } from './sync-event.ts'
import { syncPlanKind } from './sync-plan.ts'
import { syncReportKind } from './sync-report.ts'
import { transferPlanKind } from './transfer-plan.ts'
import { trustPolicyKind } from './trust-policy.ts'
import { verificationKind } from './verification.ts'
import { volumeKind } from './volume.ts'

/** Every document kind by name, in the order of their names. */
export const KINDS: Readonly<Record<string, Kind>> = Object.fromEntries(
  [
    auditEntryKind,
    auditReportKind,
    chainStateKind,
    failureKind,
    imageKind,
    imageSetConfigurationKind,
    listingKind,
    mirrorPlanKind,
    pushReportKind,
    receiptKind,
    sequenceDiffKind,
    sequenceKind,
    settingsKind,
    syncConfigKind,
    syncEventKind,
    syncPlanKind,
    syncReportKind,
    transferPlanKind,
    trustPolicyKind,
    verificationKind,
    volumeKind,
  ].map((kind) => [kind.kind, kind as Kind]),
)
