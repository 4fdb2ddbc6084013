export { CHAIN, history, KEY, NOW, policy, shipment, stateAt } from './samples.ts'
export type { ShipmentOptions } from './samples.ts'
