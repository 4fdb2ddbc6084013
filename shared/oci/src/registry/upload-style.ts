const MIB = 1024 * 1024

/** Bytes of a request by default where a registry wants chunks. */
export const CHUNK_BYTES = 64 * MIB

// Below this, cutting a request smaller is not what helps.
const LEAST = MIB
const ALIKE = 0.1
const LONG_MS = 10_000

/** A request that broke off. */
export interface Break {
  /** Of its body that arrived, or else that had gone out. */
  readonly bytes: number
  readonly ms: number
}

/** How one registry takes uploads: all in one request until it shows that it wants otherwise. Remembered for all blobs. */
export class UploadStyle {
  readonly #default: number
  #whole = Number.POSITIVE_INFINITY
  #chunk = Number.POSITIVE_INFINITY
  #least = LEAST
  #patch = true
  #limited = false

  constructor(chunkBytes: number) {
    this.#default = chunkBytes
  }

  /** Most bytes for one request. */
  get chunk(): number {
    return this.#chunk
  }

  /** False where it takes no PATCH: what is begun cannot be gone on with. */
  get resumes(): boolean {
    return this.#patch
  }

  /** True where a blob of `size` bytes goes out with one PUT. */
  takesWhole(size: number): boolean {
    return size <= this.#whole && size <= this.#chunk
  }

  /** It asks for chunks of at least `bytes`. */
  wantsChunks(bytes: number): void {
    if (!this.#patch) return
    this.#least = Math.max(LEAST, bytes)
    this.#chunk = Math.max(Math.min(this.#chunk, this.#default), this.#least)
  }

  /** It refused a PUT with the bytes; false where it refused PATCH, too. */
  refusedWhole(): boolean {
    if (!this.#patch) return false
    this.#whole = -1
    this.#chunk = Math.max(Math.min(this.#chunk, this.#default), this.#least)
    return true
  }

  /** It refused PATCH; false where it takes nothing else. */
  refusedPatch(): boolean {
    if (this.#limited || this.#whole < 0) return false
    this.#patch = false
    this.#whole = this.#chunk = Number.POSITIVE_INFINITY
    return true
  }

  /** A request of `bytes` was too large (413); false where smaller ones would not do. */
  tooLarge(bytes: number): boolean {
    this.#limited = this.#cut(bytes / 4, bytes)
    return this.#limited
  }

  /** A PUT that broke off left nothing behind: what is worth it goes out by PATCH, which does. */
  forgotWhole(): void {
    this.#whole = Math.min(this.#whole, this.#default)
  }

  /** Two requests for a blob broke off in turn: at about the same byte or time that is somebody's limit. */
  broke(one: Break, other: Break): void {
    const bytes = Math.min(one.bytes, other.bytes)
    const ms = Math.min(one.ms, other.ms)
    const sameByte = bytes >= LEAST && Math.abs(one.bytes - other.bytes) <= bytes * ALIKE
    const sameTime = ms >= LONG_MS && Math.abs(one.ms - other.ms) <= ms * ALIKE
    if (sameByte || sameTime) this.#cut(bytes / 2, this.#chunk)
  }

  /** Cuts requests to `bytes` or what else may be; false where that is not below `before`. */
  #cut(bytes: number, before: number): boolean {
    const chunk = Math.max(Math.floor(Math.min(bytes, this.#default)), this.#least)
    if (!this.#patch || chunk >= before) return false
    this.#chunk = Math.min(chunk, this.#chunk)
    return true
  }
}
