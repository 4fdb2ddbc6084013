import * as z from 'zod'
import { API_VERSION, defineKind, documentHead } from './kind.ts'

const value = () =>
  z.union([z.string(), z.boolean(), z.number(), z.array(z.string())], {
    error: 'a flag has text, a number, true, false or a list of texts',
  })

/** Defaults for flags: `common` for every tool, `tools` for one. Flags that weaken a check are not taken from here. */
export const settingsKind = defineKind({
  kind: 'Settings',
  writtenBy: 'people',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .strictObject({
        ...documentHead('Settings'),
        common: z
          .record(z.string(), value())
          .optional()
          .describe('Flags of every tool, by name without dashes'),
        tools: z
          .record(z.string(), z.record(z.string(), value()).describe('Flags of one tool'))
          .optional()
          .describe('Flags of single tools, by the name of the tool'),
      })
      .describe('Defaults for flags. Flags that weaken a check or overwrite are not taken from here.'),
})

export type Settings = z.infer<typeof settingsKind.schema>
