import { defineConfig } from 'vitest/config';
import { closing } from './test/support/closing.ts';

const long = process.env['VAULT_TEST_LONG'] === '1';

export default defineConfig({
  test: {
    reporters: ['default', closing()],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: [['text', { skipFull: true }], 'json-summary'],
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 10_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          // Real mounts, sshd and fault counts don't bear neighbours.
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: long ? 3_600_000 : 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
