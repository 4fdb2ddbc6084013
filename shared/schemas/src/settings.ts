import * as z from 'zod'
import { API_VERSION, defineKind } from './kind.ts'

const value = z.union([z.string(), z.boolean(), z.number(), z.array(z.string())])

/** Defaults for flags: `common` for every tool, `tools` for one. Flags that weaken a check are not taken from here. */
export const settingsKind = defineKind({
  kind: 'Settings',
  writtenBy: 'people',
  apiVersions: [API_VERSION],
  schema: z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Settings'),
    common: z.record(z.string(), value).optional(),
    tools: z.record(z.string(), z.record(z.string(), value)).optional(),
  }),
})

export type Settings = z.infer<typeof settingsKind.schema>
