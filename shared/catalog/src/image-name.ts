import { CarryallError } from '@carryall/errors'
import { isDigest, isRepository, isTag } from '@carryall/schemas'

/** What an explicit list names: a repository with all its tags, one tag, or one manifest. */
export interface ImageName {
  readonly repository: string
  readonly tag?: string
  readonly digest?: string
}

/** Takes `repository`, `repository:tag` or `repository@digest` apart; `namespace` is put in front. Throws REFERENCE_INVALID. */
export function imageName(text: string, namespace: string): ImageName {
  const [, name = '', tag, digest] = /^([^:@]*)(?::([^:@]*)|@(.*))?$/s.exec(text) ?? []
  const repository = namespace === '' ? name : `${namespace}/${name}`
  const isRight =
    isRepository(repository) &&
    (tag === undefined || isTag(tag)) &&
    (digest === undefined || isDigest(digest))
  if (isRight)
    return { repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
  throw new CarryallError('REFERENCE_INVALID', `"${text.slice(0, 300)}" names no image`, {
    subject: { kind: 'tag', name: text.slice(0, 300) },
    hint: 'Write repository, repository:tag or repository@sha256:…, without the host',
  })
}
