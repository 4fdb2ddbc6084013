interface Document {
  readonly kind?: string
  readonly errors?: readonly { readonly code: string }[]
}

/** The codes of what a run says on the pipe that it failed in, each once: behind the documents of what it did. */
export function failureCodes(stdout: string): readonly string[] {
  const documents = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Document)
  const failures = documents.filter(({ kind }) => kind === 'Failure')
  return [...new Set(failures.flatMap(({ errors = [] }) => errors.map(({ code }) => code)))]
}
