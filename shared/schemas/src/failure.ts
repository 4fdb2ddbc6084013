import * as z from 'zod'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'

const textOrNumber = () => z.union([z.string(), z.number()])

/** What a tool prints on stdout where it could not make its own document. Consumers refuse it. */
export const failureKind = defineKind({
  kind: 'Failure',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('Failure'),
        critical,
        tool: z.string().describe('Tool that failed'),
        errors: z
          .array(
            z.object({
              code: z.string().describe('Error code, the same in every release'),
              exit: z.int().describe('Exit code that belongs to it'),
              message: z.string().describe('For people: the action and the values'),
              hint: z.string().optional().describe('What to do next'),
              subject: z
                .object({
                  kind: z.string().describe('blob, manifest, tag, file …'),
                  name: z.string().describe('Its name'),
                  digest: z.string().optional().describe('Its digest'),
                })
                .optional()
                .describe('What it is about'),
              pointer: z.string().optional().describe('JSON pointer into the document'),
              location: z
                .object({
                  file: z.string().optional().describe('File'),
                  line: z.int().optional().describe('Line, from 1'),
                  column: z.int().optional().describe('Column, from 1'),
                  offset: z.int().optional().describe('Bytes from the start'),
                })
                .optional()
                .describe('Where in the input'),
              expected: textOrNumber().optional().describe('What was expected'),
              actual: textOrNumber().optional().describe('What was found'),
              retryable: z.boolean().describe('The same command may succeed later'),
              retry_after_ms: z.number().optional().describe('Milliseconds that a server asks to wait'),
              cause: z.array(z.string()).optional().describe('What is behind it, outermost first'),
            }),
          )
          .describe('What went wrong'),
      })
      .describe('What a tool prints where it could not make its own document. Consumers refuse it.'),
})
