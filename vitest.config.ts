import { defineConfig } from 'vitest/config'

const slow = { testTimeout: 120_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    // One fewer than there are cores if absent: of two that would be one, and most tests wait for programs and servers.
    maxWorkers: '100%',
    reporters: ['default', './scripts/count-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{shared,tools}/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      { test: { name: 'services', include: ['test/services/**/*.test.ts'], ...slow } },
      { test: { name: 'pipelines', include: ['test/pipelines/**/*.test.ts'], ...slow } },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'media',
          include: ['test/media/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
