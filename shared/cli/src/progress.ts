/** Progress of a verb. Libraries take it as an argument and never print. */
export interface Progress {
  /** Starts a phase, such as "Resolving" or "Fetching"; totals are unknown where left out. One phase at a time. */
  phase(title: string, total?: { readonly items?: number; readonly bytes?: number }): Phase
}

export interface Phase {
  /** An item is in work. */
  started(item: string): void
  /** Payload bytes moved since the last call. */
  advanced(bytes: number): void
  /** An item is done: `note` says how ("12.3 MB", "already there"). */
  finished(item: string, note?: string): void
  failed(item: string, error: unknown): void
  end(): void
}
