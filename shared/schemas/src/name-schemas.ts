import * as z from 'zod'
import { DIGEST, isFileName, MAX_REPOSITORY, REPOSITORY, TAG } from './grammar.ts'

export const digestSchema = z
  .string()
  .regex(DIGEST, 'not a digest: sha256: and 64 lower-case hex digits are wanted')
  .describe('Digest: `sha256:` and 64 hex digits')

export const repositorySchema = z
  .string()
  .max(MAX_REPOSITORY)
  .regex(
    REPOSITORY,
    'not a repository name: lower-case components separated by "/" are wanted, without tag or digest',
  )
  .describe('Repository name')

export const tagSchema = z
  .string()
  .regex(
    TAG,
    'not a tag: 1 to 128 letters, digits, "_", "." and "-" are wanted, the first one a letter, digit or "_"',
  )
  .describe('The tag')

export const fileNameSchema = z
  .string()
  .refine(isFileName, 'not a file name: one path component is wanted, without control characters')
  .describe('File name')
