import { CarryallError } from '@carryall/errors'
import { isRepository } from '@carryall/schemas'

/** A name that an API gives in parts, by the grammar only. Throws API_PROTOCOL (reliability: §1.3). */
export function repositoryName(registry: string, name: string): string {
  if (isRepository(name)) return name
  throw new CarryallError(
    'API_PROTOCOL',
    `${registry} names a repository ${JSON.stringify(name.slice(0, 200))}, which is no name of one`,
    { subject: { kind: 'host', name: registry } },
  )
}
