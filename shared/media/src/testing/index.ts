export { makeVolumes, writeVolume } from './make-volumes.ts'
export type { SetSample } from './make-volumes.ts'
