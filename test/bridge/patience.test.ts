import { chmodSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodeOf, makePlace, type Place } from '../fixtures/bridge-place.ts';
import { textOf } from '../fixtures/host.ts';
import { until } from '../fixtures/wait.ts';

/** Each test waits for seconds, as a host does, so they run concurrently. reconnect-state.test.ts tests how long. */
const inPlace = (test: (place: Place) => Promise<void>) => async () => {
  const place = makePlace();
  try {
    await test(place);
  } finally {
    await place.clear();
  }
};
/** A command that leaves a trace if it is run. */
const tracedCommand = [
  process.execPath,
  '-e',
  'require("node:fs").writeFileSync(process.env.KEYBRIDGE_DATA_DIR + "/started", String(process.pid))',
] as const;

describe.concurrent('a bridge without a broker (SI08)', () => {
  it(
    'starts no app without a display, names `keybridge serve` in the error, and uses a broker that starts later',
    inPlace(async (place) => {
      place.appIs(tracedCommand);
      const host = place.host();
      const response = await host.request('initialize');
      expect(errorCodeOf(response)).toBe('E_BROKER_DOWN');
      expect(textOf(response)).toMatch(/demo: .*no display.*`keybridge serve`.*\[E_BROKER_DOWN\]/);

      expect(errorCodeOf(await host.request('tools/list'))).toBe('E_BROKER_DOWN');
      expect(place.apps()).toEqual([]);
      expect(host.stderr.trim().split('\n')).toHaveLength(1);

      await place.broker();
      await until(async () => (await host.initialize()).error === undefined, 'the broker');
      expect(await host.close()).toBe(0);
    }),
  );

  it(
    'does not run a start command that other users could have written',
    inPlace(async (place) => {
      const file = path.join(place.dataDir, 'app.json');
      place.appIs(tracedCommand);
      chmodSync(file, 0o666);
      const response = await place.host(['demo'], { DISPLAY: ':77' }).request('initialize');
      expect(errorCodeOf(response)).toBe('E_BROKER_DOWN');
      expect(textOf(response)).toContain('cannot be trusted');
      expect(place.apps()).toEqual([]);
    }),
  );

  const apps: readonly [string, readonly [string, ...string[]], string][] = [
    ['cannot be started', ['/nowhere/keybridge'], 'could not be started (ENOENT)'],
    ['ends at once', [process.execPath, '-e', 'process.exit(127)'], 'ended at once (exit code 127)'],
    [
      'does not listen',
      [process.execPath, '-e', 'setTimeout(() => {}, 15_000)'],
      'was started but does not answer yet',
    ],
  ];
  it.each(apps)('reports an app that %s', (_, command, message) =>
    inPlace(async (place) => {
      place.appIs(command);
      const host = place.host(['demo'], { DISPLAY: ':77' });
      const response = await host.request('initialize', {}, 15_000);
      expect(textOf(response)).toContain(message);
      expect(await host.close()).toBe(1);
    })(),
  );

  it(
    'LS11: fails the calls that waited for a restart of the broker, and connects when it starts after all',
    inPlace(async (place) => {
      const first = await place.broker();
      const host = place.host();
      await host.initialize();
      await first.close();
      await until(async () => (await host.request('ping')).result !== undefined, 'the response of the bridge');
      const response = await host.call('echo', {}, 15_000);
      expect(errorCodeOf(response)).toBe('E_BROKER_DOWN');
      expect(textOf(response)).toContain('not running any more');

      const second = await place.broker();
      await until(async () => textOf(await host.call('echo', { text: 'again' })) === 'again', 'the new broker');
      expect(second.received[0]).toContain('"initialize"');
    }),
  );
});
