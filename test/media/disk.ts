/** A disk of a guest, with the place where it is mounted. */
export interface Disk {
  /** Its image on the host. */
  readonly file: string
  /** As in `mount -t`. */
  readonly type: string
  /** Below `/media`. */
  readonly at: string
  /** As in `mount -o`. */
  readonly options?: readonly string[]
  /** Write-protected, as by the switch of a stick. */
  readonly readOnly?: boolean
}
