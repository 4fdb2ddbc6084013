/** Milliseconds in which a client takes or sends 1 MiB, at the latest: whoever is slower keeps a place for nothing. */
export const PATIENCE_MS = 600_000
