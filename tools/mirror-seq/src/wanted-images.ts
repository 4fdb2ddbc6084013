import { CarryallError } from '@carryall/errors'
import {
  checkImageSet,
  goPattern,
  listFaults,
  parseImageReference,
  type ImageReference,
  type ImageSetConfiguration,
} from '@carryall/schemas'

/** An image that the configuration asks for, with the name that it has at its destination. */
export interface WantedImage {
  readonly reference: ImageReference
  readonly repository: string
  readonly tag: string
  /** `os/architecture` to keep of an index; all if empty. */
  readonly platforms: readonly string[]
}

export interface Wanted {
  readonly images: readonly WantedImage[]
  /** Names that `blockedImages` took out. */
  readonly blocked: readonly string[]
  readonly warnings: readonly string[]
}

const LATER = ['platform', 'operators', 'helm'] as const

/**
 * What a configuration asks for, named as oc-mirror names it at the destination: `targetRepo` or the path below the
 * host; `targetTag`, the tag, or `sha256-<hex>`. Throws CONFIG_INVALID (78) with the pointer of the first fault,
 * CONFIG_UNSUPPORTED for content that is not mirrored here rather than leaving it out unseen, CONFIG_EMPTY. Pure.
 */
export function wantedImages(config: ImageSetConfiguration): Wanted {
  refuseFaulty(config)
  refuseUnsupported(config)
  const patterns = (config.mirror.blockedImages ?? []).map((blocked) => goPattern(blocked.name))
  const images: WantedImage[] = []
  const blocked: string[] = []
  const targets = new Map<string, string>()
  ;(config.mirror.additionalImages ?? []).forEach((asked, index) => {
    const at = `#/mirror/additionalImages/${index}/name`
    const reference = parseImageReference(asked.name)
    const repository = asked.targetRepo ?? reference.path
    const tag = asked.targetTag ?? defaultTag(reference)
    const target = `${repository}:${tag}`
    if (patterns.some((pattern) => pattern.test(withoutTransport(asked.name)) || pattern.test(target))) {
      blocked.push(asked.name)
      return
    }
    const platforms = (asked.platforms ?? []).map(({ os, architecture }) => `${os}/${architecture}`)
    const same = `${asked.name} ${platforms.join()}`
    const other = targets.get(target)
    if (other !== undefined && other !== same)
      throw invalid(
        at,
        `Two images are to become ${target}`,
        'Give one of them a targetRepo or targetTag of its own',
      )
    if (other === undefined) images.push({ reference, repository, tag, platforms })
    targets.set(target, same)
  })
  if (images.length === 0) {
    throw new CarryallError('CONFIG_EMPTY', 'The configuration asks for no image', {
      pointer: '#/mirror/additionalImages',
      hint:
        blocked.length > 0
          ? `blockedImages takes out all of them: ${blocked.join(', ')}`
          : 'List images under mirror.additionalImages',
    })
  }
  return { images, blocked, warnings: warnings(config) }
}

function refuseFaulty(config: ImageSetConfiguration): void {
  const faults = checkImageSet(config)
  const [first] = faults
  if (first !== undefined)
    throw invalid(
      first.pointer,
      `The configuration is not valid: ${listFaults(faults)}`,
      'Correct it at these places',
    )
}

function refuseUnsupported(config: ImageSetConfiguration): void {
  for (const key of LATER) {
    const section = config.mirror[key]
    if (section === undefined || Object.keys(section).length === 0) continue
    throw new CarryallError('CONFIG_UNSUPPORTED', `mirror.${key} is not mirrored by this release`, {
      pointer: `#/mirror/${key}`,
      hint: `Take mirror.${key} out and mirror it with oc-mirror; the archives that it writes can be pushed with seq-push, too`,
    })
  }
}

function warnings(config: ImageSetConfiguration): string[] {
  const found: string[] = []
  if (config.apiVersion.endsWith('/v1alpha2'))
    found.push('apiVersion mirror.openshift.io/v1alpha2 is read as v2alpha1')
  if ((config.mirror.samples ?? []).length > 0)
    found.push('mirror.samples has no effect, here as in oc-mirror')
  return found
}

/** A reference to a registry has a tag or a digest: `checkImageSet` saw to it. */
function defaultTag({ transport, tag, digest = '' }: ImageReference): string {
  return transport === 'oci' ? 'latest' : (tag ?? digest.replace(':', '-'))
}

function withoutTransport(name: string): string {
  return name.replace(/^(?:docker|oci):(?:\/\/)?/, '')
}

function invalid(pointer: string, message: string, hint: string): CarryallError {
  return new CarryallError('CONFIG_INVALID', message, { pointer, hint })
}
