interface Rule {
  readonly action: string
  readonly onExitCodes?: { readonly operator: string; readonly values: readonly number[] }
}

/** The part of a Job that says what becomes of its pods. */
export interface JobLike {
  readonly spec: {
    readonly completions: number
    readonly podFailurePolicy: { readonly rules: readonly Rule[] }
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] }
    }
  }
}

/** What Kubernetes does about a pod whose container ended with this code: the first rule that fits, else `Count`. */
export function actionFor({ spec }: JobLike, exit: number): string {
  if (exit === 0) return 'Complete'
  const rule = spec.podFailurePolicy.rules.find(({ onExitCodes }) => {
    if (onExitCodes === undefined) return false
    return onExitCodes.values.includes(exit) === (onExitCodes.operator === 'In')
  })
  return rule?.action ?? 'Count'
}
