import { writeFileSync, writeSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node'

/**
 * Ends a run with the line `N passed, N failed, N skipped`, or writes it to the file named by CARRYALL_COUNTS so that
 * `scripts/test` can print it last. A module that does not load and an error outside of tests count as failed. In CI a
 * skipped test fails the run, unless a name filter was given: a peer that is missing there must not pass for tested.
 */
export default class CountReporter implements Reporter {
  #filtered = false

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state)
    const outside = unhandled.length + modules.reduce((sum, module) => sum + suiteErrors(module), 0)
    const skipped = inState('skipped')
    const line = `${inState('passed').length} passed, ${inState('failed').length + outside} failed, ${skipped.length} skipped\n`
    if (process.env.CI === 'true' && !this.#filtered && skipped.length > 0) {
      const names = skipped.map((test) => `  ${relative('', test.module.moduleId)} > ${test.fullName}\n`)
      writeSync(2, `In CI a skipped test is a failure:\n${names.join('')}`)
      process.exitCode = 1
    }
    const file = process.env.CARRYALL_COUNTS
    if (file !== undefined) writeFileSync(file, line)
    else process.once('exit', () => writeSync(1, line))
  }
}

/** Errors of a module, or of a suite's hooks, that no test reports. */
function suiteErrors(module: TestModule): number {
  const suites = [...module.children.allSuites()]
  return module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0)
}
