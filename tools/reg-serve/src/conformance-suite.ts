import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Checks } from './testing/conformance/check.ts'
import { RegistryClient, type Target } from './testing/conformance/client.ts'
import { discoveryChecks } from './testing/conformance/discovery.ts'
import { managementChecks } from './testing/conformance/management.ts'
import { pullChecks } from './testing/conformance/pull.ts'
import { pushBlobChecks } from './testing/conformance/push-blobs.ts'
import { pushChunkChecks } from './testing/conformance/push-chunks.ts'
import { pushManifestChecks } from './testing/conformance/push-manifests.ts'
import { Repository } from './testing/conformance/repository.ts'

const CHECKS = {
  pull: pullChecks,
  'push blobs': pushBlobChecks,
  'push chunks': pushChunkChecks,
  'push manifests': pushManifestChecks,
  discovery: discoveryChecks,
  management: managementChecks,
} as const satisfies Record<string, Checks>

/** A registry that runs for a suite. */
export interface SuiteRegistry {
  readonly target: Target
  close(): Promise<void>
}

/** Checks that a registry is known to fail, by category, each with what it does instead. */
export type Differences = { readonly [K in keyof typeof CHECKS]?: Readonly<Record<string, string>> }

/**
 * What distribution-spec asks of a registry in each of its categories. A check that is named in `differences` has to fail: the
 * list says no more and no less than what is so.
 */
export function conformanceSuite(
  name: string,
  start: () => Promise<SuiteRegistry>,
  differences: Differences = {},
): void {
  describe(name, () => {
    let registry: SuiteRegistry
    let client: RegistryClient
    beforeAll(async () => {
      registry = await start()
      client = new RegistryClient(registry.target)
    })
    afterAll(async () => {
      client.close()
      await registry.close()
    })
    for (const [category, checks] of Object.entries<Checks>(CHECKS)) {
      const known = differences[category as keyof typeof CHECKS] ?? {}
      const stale = Object.keys(known).filter((check) => !(check in checks))
      if (stale.length > 0) throw new RangeError(`There is no check ${stale.join(', ')}`)
      describe(category, () => {
        for (const [check, run] of Object.entries(checks)) {
          const asExpected = check in known ? test.fails : test
          asExpected(check, () => run(new Repository(client)))
        }
      })
    }
  })
}
