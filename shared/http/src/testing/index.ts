export { makeCertificates } from './certificates.ts'
export type { TestCertificates } from './certificates.ts'
export { startServer } from './test-server.ts'
export type { Seen, TestServer, TestServerOptions } from './test-server.ts'
