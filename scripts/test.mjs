// Runs the tests: `npm test`. Installs what it needs, so that it works on a machine with only Node and npm.
//   npm test                     all tests
//   npm test -- --fast           without desktop tests, which need a display and Electron
//   npm test -- relay tokens     only test files whose path has one of the words
// The last line is `N passed, N failed, N skipped`.
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
