export const KIB = 2 ** 10
export const MIB = 2 ** 20
export const GIB = 2 ** 30
export const TIB = 2 ** 40

/** The next multiple of `unit`; also where bits would not do, above 2^31. */
export function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit
}

/** The entry of the first row that is not below `bytes`. */
export function lookUp<T>(table: readonly (readonly [upTo: number, value: T])[], bytes: number): T {
  return (table.find(([upTo]) => bytes <= upTo) ?? table.at(-1)!)[1]
}
