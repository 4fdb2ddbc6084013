// Loaded into a Node process with --require: tells the id of its one pool thread, in which all asynchronous file
// functions run, and holds the process until a tracer is attached to that thread. So calls are counted from the first
// line of the program on, and nothing of Node's own start is among them.
const { existsSync, readdirSync, readFileSync, renameSync, stat, writeFileSync } = require('node:fs')
const { isMainThread } = require('node:worker_threads')

const directory = process.env.FAULTS_GATE
if (isMainThread && directory) {
  // Programs that this one starts run freely.
  delete process.env.FAULTS_GATE
  delete process.env.NODE_OPTIONS
  stat('/', () => {}) // starts the pool
  const threads = readdirSync('/proc/self/task').filter((id) =>
    readFileSync(`/proc/self/task/${id}/comm`, 'utf8').startsWith('libuv-worker'),
  )
  writeFileSync(`${directory}/thread.tmp`, threads.join(' '))
  renameSync(`${directory}/thread.tmp`, `${directory}/thread`)
  const clock = new Int32Array(new SharedArrayBuffer(4))
  for (let waited = 0; !existsSync(`${directory}/go`); waited++) {
    if (waited > 20_000) throw new Error('No tracer came')
    Atomics.wait(clock, 0, 0, 1)
  }
}
