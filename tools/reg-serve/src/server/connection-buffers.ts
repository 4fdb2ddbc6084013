import { BufferPool } from '@carryall/durable'

/**
 * Buffers for bodies on their way to and from clients. Not the pool of the process: a client decides how long one of these
 * is kept, and reading and writing files shall never wait for a client. Take with `takeFree` and go on without.
 */
export const connectionBuffers = new BufferPool(16)
