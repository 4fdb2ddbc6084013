export { makeShipment } from './make-shipment.ts'
export type { ShipmentSample } from './make-shipment.ts'
