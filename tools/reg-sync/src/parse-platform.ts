import { badValue } from '@carryall/cli'

/** `os/architecture[/variant]`, as image-spec names platforms. Throws USAGE_BAD_VALUE. */
export function parsePlatform(text: string): string {
  if (/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/.test(text)) return text
  throw badValue(text, 'OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64')
}
