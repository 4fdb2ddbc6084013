import { isCarryallError } from '@carryall/errors'
import { gitlabProjectsSchema, harborSystemSchema, quayRepositoriesSchema } from '@carryall/schemas'
import type { ApiClient, Schema } from './api-client.ts'

/** The APIs that a registry may have, each as far as it can be asked; undefined where it cannot. */
export interface Candidates {
  readonly harbor: ApiClient
  /** Only with a token: without one it lists nothing that is not public. */
  readonly quay: ApiClient | undefined
  readonly gitlab: ApiClient | undefined
}

/**
 * Which of the APIs answers as its own kind does. What else there is (a web page for every path, a login, an error) counts as no.
 * Throws NET_* where there is no answer at all, and LOGIN_FAILED where the token is not taken.
 */
export async function detectApi(
  { harbor, quay, gitlab }: Candidates,
  signal: AbortSignal | undefined,
): Promise<'harbor' | 'quay' | 'gitlab' | 'distribution'> {
  if (await isHarbor(harbor, signal)) return 'harbor'
  if (quay && (await answers(quay, '/api/v1/repository?public=true&limit=1', quayRepositoriesSchema, signal)))
    return 'quay'
  if (gitlab && (await answers(gitlab, '/api/v4/projects?per_page=1', gitlabProjectsSchema, signal)))
    return 'gitlab'
  return 'distribution'
}

/** True where Harbor says how one logs in to it, which it says to everybody. */
export function isHarbor(api: ApiClient, signal: AbortSignal | undefined): Promise<boolean> {
  return answers(api, '/api/v2.0/systeminfo', harborSystemSchema, signal)
}

async function answers(
  api: ApiClient,
  path: string,
  schema: Schema<unknown>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return (await api.get(path, schema, { action: 'say what it is', signal })) !== undefined
  } catch (error) {
    if (signal?.aborted || !isCarryallError(error)) throw error
    if (error.code === 'LOGIN_FAILED') throw error
    const { subject, actual } = error.details
    // A redirect led somewhere that we cannot get to, such as a login.
    const isElsewhere = subject?.kind === 'host' && subject.name !== api.base.host
    // A server, or a proxy, that has errors for this path: the registry itself will tell if it is the whole of it.
    const isAnswer = error.code === 'NET_UNAVAILABLE' && typeof actual === 'number'
    if (isElsewhere || isAnswer || !error.code.startsWith('NET_') || error.code === 'NET_ORIGIN_REFUSED')
      return false
    throw error
  }
}
