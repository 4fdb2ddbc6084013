/** How content is encrypted on a medium. */
export type EncryptionFormat = 'openpgp' | 'age'

/** The program of each format, and the Debian package that brings it. */
export const ENCRYPTION = {
  openpgp: { program: 'gpg', package: 'gnupg', suffix: '.gpg' },
  age: { program: 'age', package: 'age', suffix: '.age' },
} as const
