import { defineConfig } from 'vitest/config';

/**
 * Tests in the real Electron, on a screen, a session bus and a keyring of their own. One at a time: they share a
 * machine.
 */
export default defineConfig({
  test: {
    include: ['test/desktop/*.test.ts'],
    globalSetup: ['test/fixtures/build.ts'],
    testTimeout: 90_000,
    hookTimeout: 90_000,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
  },
});
