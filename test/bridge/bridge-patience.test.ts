import { chmodSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodeOf, makePlace, type Place } from '../fixtures/bridge-place.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

/** Each of these waits as long as a host has to wait, so they do it together. */
const inPlace = (test: (place: Place) => Promise<void>) => async () => {
  const place = makePlace();
  try {
    await test(place);
  } finally {
    await place.clear();
  }
};
const neverRun = [
  process.execPath,
  '-e',
  'require("node:fs").writeFileSync(process.env.KEYBRIDGE_DATA_DIR + "/started", String(process.pid))',
] as const;
const patienceMs = 10_000;

describe.concurrent('a bridge without a broker tells the host: after 10 s, or after 4 s when nothing will start one (SI08)', () => {
  it(
    'without a display: no app is started, the error names `keybridge serve`, and a broker that comes later is used',
    inPlace(async (place) => {
      place.appIs(neverRun);
      const host = place.host();
      const answer = await host.request('initialize', {}, 5_000);
      expect(errorCodeOf(answer)).toBe('E_BROKER_DOWN');
      expect(textOf(answer)).toMatch(/demo: .*no display.*`keybridge serve`.*\[E_BROKER_DOWN\]/);

      const next = performance.now();
      expect(errorCodeOf(await host.request('tools/list'))).toBe('E_BROKER_DOWN');
      expect(performance.now() - next).toBeLessThan(2_000);
      expect(place.apps()).toEqual([]);
      expect(host.stderr.trim().split('\n')).toHaveLength(1);

      await place.broker();
      await until(async () => (await host.initialize()).error === undefined, 'the broker that has come', 5_000);
      expect(await host.close()).toBe(0);
    }),
  );

  it(
    'a start command that others could have written is not run',
    inPlace(async (place) => {
      const file = path.join(place.dataDir, 'app.json');
      place.appIs(neverRun);
      chmodSync(file, 0o666);
      const answer = await place.host(['demo'], { DISPLAY: ':77' }).request('initialize', {}, 5_000);
      expect(errorCodeOf(answer)).toBe('E_BROKER_DOWN');
      expect(textOf(answer)).toContain('cannot be trusted');
      expect(place.apps()).toEqual([]);
    }),
  );

  const apps: readonly [string, readonly [string, ...string[]], string, number][] = [
    ['cannot be started', ['/nowhere/keybridge'], 'could not be started (ENOENT)', 0],
    ['ends at once', [process.execPath, '-e', 'process.exit(127)'], 'ended at once (exit code 127)', 0],
    [
      'says nothing',
      [process.execPath, '-e', 'setTimeout(() => {}, 15_000)'],
      'was started but does not answer yet',
      patienceMs - 500,
    ],
  ];
  it.each(apps)('an app that %s', (_, command, words, waitedMs) =>
    inPlace(async (place) => {
      place.appIs(command);
      const host = place.host(['demo'], { DISPLAY: ':77' });
      const started = performance.now();
      const answer = await host.request('initialize', {}, waitedMs + 5_000);
      expect(performance.now() - started).toBeGreaterThan(waitedMs);
      expect(textOf(answer)).toContain(words);
      expect(await host.close()).toBe(1);
    })(),
  );

  it(
    'LS11: a broker that does not come back: calls wait 10 s, then fail; one that comes later is used at once',
    inPlace(async (place) => {
      const first = await place.broker();
      const host = place.host();
      await host.initialize();
      await first.close();
      await until(async () => (await host.request('ping')).result !== undefined, 'the bridge itself');
      const started = performance.now();
      const answer = await host.call('echo', {}, 14_000);
      expect(performance.now() - started).toBeGreaterThan(patienceMs - 1_500);
      expect(errorCodeOf(answer)).toBe('E_BROKER_DOWN');
      expect(textOf(answer)).toContain('not running any more');

      const second = await place.broker();
      await until(async () => textOf(await host.call('echo', { text: 'again' })) === 'again', 'the new broker', 1_000);
      expect(second.received[0]).toContain('"initialize"');
    }),
  );
});
