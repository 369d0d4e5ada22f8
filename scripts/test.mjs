// Runs every test: `npm test`. Does its own set-up, so that it works on a machine that has only Node and npm.
//   npm test                     everything
//   npm test -- --fast           no desktop tests (no display, no Electron)
//   npm test -- relay tokens     only test files whose name has one of the words
// The last line is `N passed, N failed` (and skipped ones), whatever the steps were.
import { runCommand, setUp, usesOfTests } from './setup.mjs';
import { runTests } from './test-run.mjs';

const args = process.argv.slice(2);
const fast = args.includes('--fast');
const words = args.filter((arg) => !arg.startsWith('--'));

await runCommand(async () => {
  await setUp(usesOfTests({ fast }));
  return runTests(async ({ check, vitest, nothingLeft }) => {
    await check('build', process.execPath, ['scripts/build.mjs', '--test', '--if-stale']);
    if (words.length === 0) {
      await check('types', process.execPath, ['scripts/typecheck.mjs']);
      await check('format', process.execPath, ['node_modules/oxfmt/bin/oxfmt', '--check']);
      await check('unused code', process.execPath, ['node_modules/knip/bin/knip.js', '--treat-config-hints-as-errors']);
      await check('lint', process.execPath, ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings']);
    }
    await vitest('node', 'vitest.config.ts', words);
    if (!fast) await vitest('desktop', 'vitest.desktop.config.ts', words);
    nothingLeft();
  });
});
