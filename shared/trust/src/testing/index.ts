export { makeSigner } from './make-signer.ts'
export type { SignerOptions, TestSigner } from './make-signer.ts'
export { writeTrust } from './write-trust.ts'
