import * as z from 'zod'
import { API_VERSION, defineKind } from './kind.ts'

/** What a tool prints on stdout where it could not make its own document. Consumers refuse it. */
export const failureKind = defineKind({
  kind: 'Failure',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Failure'),
    tool: z.string(),
    errors: z.array(
      z.object({
        code: z.string(),
        exit: z.int(),
        message: z.string(),
        hint: z.string().optional(),
        pointer: z.string().optional(),
        retryable: z.boolean(),
      }),
    ),
  }),
})
