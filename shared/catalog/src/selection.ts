/** Which repositories and tags; the same shape as in SyncConfig. Globs of repositories are of their names below the namespace. */
export interface Selection {
  readonly repositories?:
    | { readonly include?: readonly string[] | undefined; readonly exclude?: readonly string[] | undefined }
    | undefined
  readonly tags?:
    | {
        readonly include?: readonly string[] | undefined
        readonly exclude?: readonly string[] | undefined
        /** The whole tag has to match; RE2 syntax. */
        readonly regex?: string | undefined
        /** Range; what is no version is left out. */
        readonly semver?: string | undefined
        /** Of what is left, the newest N of each repository. */
        readonly newest?: number | undefined
        /** Younger than `30d`, or than a time. */
        readonly changed_since?: string | undefined
      }
    | undefined
}
