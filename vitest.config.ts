import { defineConfig } from 'vitest/config';

/** Pure code: many small files, which share a module graph safely. */
const PURE = [
  'contract/src/**/*.test.ts',
  'edge/src/{geometry,track,signal,rules,proposal,pipeline,health}/**/*.test.ts',
  'models/src/evaluation/**/*.test.ts',
  'simulators/scene/**/*.test.ts',
];
/** Live runs whose figures depend on having the machine to themselves. */
const ALONE = ['tests/live-faults.test.ts', 'tests/start.test.ts'];
const ALL = [
  '**/src/**/*.test.ts',
  'simulators/{camera,network,thermal,sensors}/**/*.test.ts',
  'tests/**/*.test.ts',
];
const NEVER = ['**/node_modules/**', 'dist/**'];
/** Most of the time goes into waiting for processes: every core may have its file. */
const WORKERS = { maxWorkers: '100%' } as const;

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'pure', include: PURE, exclude: NEVER, pool: 'threads', isolate: false, ...WORKERS } },
      {
        test: {
          name: 'real',
          include: ALL,
          exclude: [...NEVER, ...PURE, ...ALONE],
          pool: 'forks',
          ...WORKERS,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'alone',
          include: ALONE,
          exclude: NEVER,
          pool: 'forks',
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
