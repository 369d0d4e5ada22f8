import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

/**
 * Where Unix time is reckoned with, and why it must be that. Everything else is a pause, a limit or an age:
 * `Clock.monotonic`.
 */
const wallTime: Readonly<Record<string, string>> = {
  'electron/core/http/cookies.ts': 'dates of a server',
  'electron/core/oauth/sign-in/device-code.ts': 'shown to the person',
  'electron/core/oauth/registration/registration-expiry.ts': 'the date on which a server ends a registration',
  'electron/core/oauth/registration/registration.ts': 'the date on which a server ends a client secret',
  'electron/core/oauth/tokens/cached-token.ts': 'a sleep, in which the other clock stood still',
  'electron/core/base/sleep-detector.ts': 'a sleep, and the time that was set',
};

const unixTime = String.raw`(?:\b(?:Date|[\w.]*[cC]lock\??)\.now\(\)|(?<![\w.])now\(\))`;
const reckons = new RegExp(`${unixTime}\\)*\\s*(?:[-+]|<|>)|(?:[-+]|<|(?<!=)>)=?\\s*(?:Math\\.\\w+\\()?${unixTime}`);

it('Unix time, which jumps when it is set, is used in calculations only in the listed files', () => {
  const files = readdirSync(path.join(root, 'electron'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts'),
  );
  const found = files.flatMap((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line) && reckons.test(line));
    return lines.length > 0 ? [path.relative(root, file).replaceAll('\\', '/')] : [];
  });
  expect(found.toSorted()).toEqual(Object.keys(wallTime).toSorted());
});
