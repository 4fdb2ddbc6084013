import type { Exchange, Push } from './exchange.ts'
import { CHALLENGE, loginWanted } from './identify.ts'
import { listRepositories, listTags } from './list.ts'
import { listReferrers } from './list-referrers.ts'
import { pullBlob, pullManifest } from './pull.ts'
import { pushManifest } from './push-manifest.ts'
import { Refusal } from './refusal.ts'
import { removeManifest } from './remove-manifest.ts'
import { replyJson } from './reply.ts'
import { route, type Route } from './route.ts'
import { cancelUpload, closeUpload, continueUpload, startUpload, uploadStatus } from './upload.ts'

const READING = ['GET', 'HEAD']

/** Answers one request, or throws a Refusal or what the store threw. */
export async function answer(exchange: Exchange): Promise<void> {
  if (!exchange.access.pull) throw loginWanted()
  const asked = route(exchange.path)
  const method = exchange.request.method ?? ''
  if (READING.includes(method) && asked.kind !== 'uploads' && asked.kind !== 'upload')
    return read(exchange, asked)
  const allowed = allowedMethods(asked, exchange.push !== undefined)
  if (!allowed.includes(method) || exchange.push === undefined) {
    throw new Refusal(405, 'UNSUPPORTED', refusedBecause(exchange, asked), { allow: allowed.join(', ') })
  }
  if (!exchange.access.push) throw loginWanted()
  return push(exchange, exchange.push, asked, method)
}

async function read(
  exchange: Exchange,
  asked: Exclude<Route, { kind: 'uploads' | 'upload' }>,
): Promise<void> {
  switch (asked.kind) {
    case 'base':
      return replyBase(exchange)
    case 'catalog':
      return listRepositories(exchange)
    case 'tags':
      return listTags(exchange, asked.repository)
    case 'manifest':
      return pullManifest(exchange, asked.repository, asked.reference)
    case 'blob':
      return pullBlob(exchange, asked.repository, asked.digest)
    case 'referrers':
      return listReferrers(exchange, asked.repository, asked.digest)
  }
}

async function push(exchange: Exchange, pushing: Push, asked: Route, method: string): Promise<void> {
  if (asked.kind === 'uploads') return startUpload(exchange, pushing, asked.repository)
  if (asked.kind === 'manifest') {
    const act = method === 'PUT' ? pushManifest : removeManifest
    return act(exchange, pushing.store, asked.repository, asked.reference)
  }
  if (asked.kind !== 'upload') return
  const session = pushing.sessions.get(asked.repository, asked.id)
  if (method === 'PATCH') return continueUpload(exchange, pushing, session)
  if (method === 'PUT') return closeUpload(exchange, pushing, session)
  if (method === 'DELETE') return cancelUpload(exchange, pushing, session)
  return uploadStatus(exchange, session)
}

function allowedMethods(asked: Route, writable: boolean): readonly string[] {
  if (asked.kind === 'uploads') return writable ? ['POST'] : []
  if (asked.kind === 'upload') return writable ? ['GET', 'PATCH', 'PUT', 'DELETE'] : []
  return asked.kind === 'manifest' && writable ? [...READING, 'PUT', 'DELETE'] : READING
}

/** Clients that ask this first learn from it that a login is of use, also where pulls need none (RFC 9110 §11.6.1). */
function replyBase({ request, response, access }: Exchange): void {
  replyJson(request, response, {}, access.more ? { 'www-authenticate': CHALLENGE } : {})
}

function refusedBecause({ push: pushing, request, refusedPushes }: Exchange, asked: Route): string {
  if (pushing === undefined) return refusedPushes
  return `${request.method} is not supported for ${asked.kind}`
}
