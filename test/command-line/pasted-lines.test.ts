import { describe, expect, it } from 'vitest';
import { createPastedLines } from '../../electron/command-line/pasted-lines.ts';
import { createFakeClock } from '../fixtures/clock.ts';

const place = 'http://127.0.0.1:33427/callback/0123456789ab';
const state = 'the-state-of-this-sign-in';
const stateLast = `${place}?code=the-code-of-ada&state=${state}`;
const issLast = `${stateLast}&iss=https://login.example`;
const codeLast = `${place}?state=${state}&code=the-code-of-ada`;
const cut = (address: string, ...at: number[]): string[] =>
  [0, ...at].map((from, index) => address.slice(from, at[index]));

function terminal({ interactive = true, known = true } = {}) {
  const clock = createFakeClock();
  const [used, printed]: [string[], string[]] = [[], []];
  const take = createPastedLines({
    state: known ? state : undefined,
    interactive,
    clock,
    use: (address) => void used.push(address),
    tell: (text) => void printed.push(text),
  });
  return { used, printed, take, pause: () => clock.advance(1_000) };
}

describe('an address that is pasted into the terminal', () => {
  it.each([
    ['with the state at its end', stateLast],
    ['with the issuer at its end', issLast],
    ['in quotes, with the code at its end', `"${codeLast}"`],
  ])('is used from one line %s', async (_, address) => {
    const { take, used, pause } = terminal();
    take(address);
    await pause();
    expect(used).toEqual([address]);
  });

  it.each([
    ['in the code', stateLast, [60]],
    ['in the state', stateLast, [stateLast.length - 8]],
    ['twice', stateLast, [50, 70]],
    ['in the issuer', issLast, [60, issLast.length - 5]],
    ['before the issuer', issLast, [issLast.lastIndexOf('&')]],
    ['between code and state', stateLast, [stateLast.indexOf('&')]],
  ])('is used once and whole when it is wrapped %s', async (_, address, at) => {
    const { take, used, pause } = terminal();
    for (const line of cut(address, ...at)) take(`  ${line}\r`);
    await pause();
    expect(used).toEqual([address]);
  });

  it('that ends with the code is used only after an empty line, because the code may be truncated', async () => {
    const { take, used, printed, pause } = terminal();
    const [first = '', rest = ''] = cut(codeLast, codeLast.length - 4);
    take(first);
    await pause();
    expect(used).toEqual([]);
    expect(printed).toEqual([expect.stringContaining('press Enter again')]);
    take(rest);
    await pause();
    expect(used).toEqual([]);
    take('');
    expect(used).toEqual([codeLast]);
  });

  it('that ends with the code is used without an empty line if stdin is no terminal', async () => {
    const { take, used, pause } = terminal({ interactive: false });
    take(codeLast);
    await pause();
    expect(used).toEqual([codeLast]);
  });

  it('is reported as incomplete if the rest does not follow, and can be pasted again', async () => {
    const { take, used, printed, pause } = terminal();
    take(stateLast.slice(0, 55));
    await pause();
    expect(printed).toEqual([expect.stringContaining('incomplete')]);
    take(stateLast);
    await pause();
    expect(used).toEqual([stateLast]);
  });

  it('of another computer is passed on at once, so that the sign-in reports the error', () => {
    const { take, used } = terminal();
    take('nonsense');
    take('https://evil.example/callback?code=1&state=2');
    expect(used).toEqual(['nonsense', 'https://evil.example/callback?code=1&state=2']);
  });

  it('may hold an error of the provider instead of a code', async () => {
    const { take, used, pause } = terminal({ known: false });
    const refusal = `${place}?error=access_denied&state=${state}`;
    for (const line of cut(refusal, 60)) take(line);
    await pause();
    expect(used).toEqual([refusal]);
  });
});
