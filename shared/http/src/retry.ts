import { setTimeout as wait } from 'node:timers/promises'
import { CarryallError } from '@carryall/errors'

const FIRST_MS = 500
const MAX_MS = 30_000

/** A failed attempt that is going to be repeated. */
export interface Retry {
  /** The attempt that failed, from 1. */
  readonly attempt: number
  /** How many more there will be at most, this one included. */
  readonly left: number
  readonly delayMs: number
  readonly error: CarryallError
}

/** How often and when an attempt that failed with a retryable error is repeated. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly times: number
  /** Fixed wait; 0 is exponential: from 500 ms, doubling, full jitter, at most 30 s. */
  readonly delayMs: number
  /** In [0, 1). */
  random(): number
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  onRetry(retry: Retry): void
}

/** The default policy, 5 times exponential, with what is given in its place. */
export function retryPolicy(options: Partial<RetryPolicy> = {}): RetryPolicy {
  return { times: 5, delayMs: 0, random: Math.random, sleep, onRetry: () => {}, ...options }
}

/**
 * Calls `action` until it succeeds, fails with an error that is not `retryable`, or has been repeated `policy.times`
 * times; then its last error is thrown as it is. What a server asks for by Retry-After is the least wait.
 */
export async function withRetry<T>(
  policy: RetryPolicy,
  action: (attempt: number) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action(attempt)
    } catch (error) {
      await pause(policy, attempt, error, signal)
    }
  }
}

/** Waits before attempt `attempt + 1`, or throws `error` where there is to be none. For loops that keep their own state. */
export async function pause(
  policy: RetryPolicy,
  attempt: number,
  error: unknown,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted()
  if (!isRetryable(error) || attempt > policy.times) throw error
  const delayMs = Math.max(backoff(policy, attempt), error.details.retryAfterMs ?? 0)
  policy.onRetry({ attempt, left: policy.times - attempt + 1, delayMs, error })
  await policy.sleep(delayMs, signal)
}

/** True for an error of ours that says that the same thing may succeed later. */
export function isRetryable(error: unknown): error is CarryallError {
  return error instanceof CarryallError && error.details.retryable === true
}

function backoff(policy: RetryPolicy, attempt: number): number {
  if (policy.delayMs > 0) return policy.delayMs
  return Math.round(policy.random() * Math.min(MAX_MS, FIRST_MS * 2 ** (attempt - 1)))
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted())
}
