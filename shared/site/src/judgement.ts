import type { CarryallError } from '@carryall/errors'
import type { ChainState, ShipmentDocument } from '@carryall/schemas'
import type { Known, Link } from './link.ts'

/** A shipment that has come, with what is known of its signatures. */
export interface Incoming extends Known {
  /** Fingerprints of trusted keys whose signatures are good. */
  readonly signers: readonly string[]
  /** What is wrong with its other signatures. */
  readonly signatureFaults: readonly CarryallError[]
  /** Its content has come as well, or is still to come; false for metadata alone. */
  readonly carried: boolean
}

/** What the site demands, and what its operator lets pass this time. */
export interface SitePolicy {
  /** Whether the trust file lists the chain; true for any where it lists none. */
  takesChain(id: string): boolean
  /** How many trusted keys have to sign; undefined where there is no trust file. */
  readonly threshold: number | undefined
  /** Name of this site, where it is known. */
  readonly site?: string | undefined
  readonly now: Date
  readonly allowExpired: boolean
  readonly acceptStateReset: boolean
}

export interface JudgeInput {
  /** The chain that the content directory is for. */
  readonly chain: ShipmentDocument['chain']
  /** Head of the receipt that the set was planned from. */
  readonly from?: Link | undefined
  readonly state?: ChainState | undefined
  /** Shipments of the content directory, and its headstones. */
  readonly landed: readonly Known[]
  /** Metadata of the set, each shipment once. */
  readonly incoming: readonly Incoming[]
  readonly policy: SitePolicy
}

/** What may be done with a set. All lists by number. */
export interface Judgement {
  /** Carried and not here yet. */
  readonly land: readonly Incoming[]
  /** Metadata alone, not here yet: to be recorded as links of the chain. */
  readonly headstones: readonly Incoming[]
  /** Here already, with the same digest. */
  readonly known: readonly Incoming[]
  /** Trusted keys vouch for all of it. */
  readonly signed: boolean
  /** Flags without which it had been refused, for the audit log. */
  readonly overrides: readonly string[]
  /** What else the audit log shall say: numbers that a signed baseline let pass. */
  readonly notes: readonly string[]
  /** The state from which to go on: settled, or made anew where that was accepted. */
  readonly state: ChainState
}
