import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import { _electron, type ElectronApplication, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureElectron } from '../../scripts/electron-runtime.mjs';
import { startPrivateDisplay } from '../../scripts/private-display.mjs';
import { pictures } from '../fixtures/renderer-preview/pictures.mjs';
import { servePreview } from '../fixtures/renderer-preview/serve.mjs';
import { launcherSwitches, root } from './app.ts';

/** Rules that axe does not run by default, because they are experimental or best practice. */
const alsoOn = [
  'label-content-name-mismatch',
  'scrollable-region-focusable',
  'target-size',
  'focus-order-semantics',
  'heading-order',
  'region',
];

/** Every picture is checked in each of these. */
const variants = [
  { name: 'light', colorScheme: 'light', width: 960, height: 680 },
  { name: 'dark, narrow', colorScheme: 'dark', width: 380, height: 600 },
] as const;

/** Every screen, state and dialog in the app's Electron, with made-up states instead of the core. */
describe('accessibility of the window', () => {
  const stops: (() => Promise<unknown>)[] = [];
  let electron: ElectronApplication;
  let page: Page;
  let address: string;

  beforeAll(async () => {
    const preview = await servePreview();
    stops.push(() => preview.close());
    ({ address } = preview);
    const display = await startPrivateDisplay();
    stops.push(() => display.stop());
    const profile = await mkdtemp(path.join(os.tmpdir(), 'keybridge-preview-profile-'));
    stops.push(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
    const { executable } = await ensureElectron();
    electron = await _electron.launch({
      executablePath: executable,
      args: [
        ...launcherSwitches,
        `--user-data-dir=${profile}`,
        path.join(root, 'test/fixtures/renderer-preview/viewer.cjs'),
        'about:blank',
      ],
      env: { ...environment(), DISPLAY: display.display, NO_AT_BRIDGE: '1' },
    });
    stops.push(() => electron.close());
    page = await electron.firstWindow();
    page.setDefaultTimeout(15_000);
  });

  afterAll(async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  });

  it.each(Object.keys(pictures))('axe finds no violation in %s, light or dark, wide or narrow', async (name) => {
    const [hash, act] = pictures[name] ?? [''];
    await page.goto('about:blank');
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 960, height: 680 });
    await page.goto(`${address}#${hash}`);
    await page.locator('.page').first().waitFor();
    await act?.(page);
    await page.evaluate(axe.source);
    for (const { name: variant, width, height, colorScheme } of variants) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      expect(await violations(page), variant).toEqual([]);
    }
  });

  it.each([960, 760, 700, 380])(
    'the Access card shows all its scopes or its maximum height in a window of %d pixels',
    async (width) => {
      await page.goto('about:blank');
      await page.setViewportSize({ width, height: 680 });
      await page.goto(`${address}#learned`);
      await page.locator('.row-open').click();
      await page.locator('.learned').waitFor();
      const { shown, whole, most } = await page
        .locator('.scopes')
        .evaluate((card) => ({
          shown: card.clientHeight,
          whole: card.scrollHeight,
          most: parseFloat(getComputedStyle(card).maxHeight),
        }));
      // The maximum height includes two pixels of border.
      expect(shown).toBeGreaterThanOrEqual(Math.min(whole, most - 2));
    },
  );
});

/** One line per element that breaks a rule. */
async function violations(page: Page): Promise<string[]> {
  const rules = Object.fromEntries(alsoOn.map((rule) => [rule, { enabled: true }]));
  const results = (await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'], rules: ${JSON.stringify(rules)} })`,
  )) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, html }) => `${id}: ${target.join(' ')}: ${html.slice(0, 160)}`),
  );
}

const environment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
