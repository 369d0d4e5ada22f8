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
  const [used, told]: [string[], string[]] = [[], []];
  const take = createPastedLines({
    state: known ? state : undefined,
    interactive,
    clock,
    use: (address) => void used.push(address),
    tell: (text) => void told.push(text),
  });
  return { used, told, take, quiet: () => clock.advance(1_000) };
}

describe('an address that is pasted into the terminal', () => {
  it.each([
    ['with the state at its end', stateLast],
    ['with the issuer at its end', issLast],
    ['in quotes, with the code at its end', `"${codeLast}"`],
  ])('An address on one line is used, %s', async (_, address) => {
    const { take, used, quiet } = terminal();
    take(address);
    await quiet();
    expect(used).toEqual([address]);
  });

  it.each([
    ['in the code', stateLast, [60]],
    ['in the state', stateLast, [stateLast.length - 8]],
    ['twice', stateLast, [50, 70]],
    ['in the issuer', issLast, [60, issLast.length - 5]],
    ['before the issuer', issLast, [issLast.lastIndexOf('&')]],
    ['between code and state', stateLast, [stateLast.indexOf('&')]],
  ])('An address that is broken %s is used whole, and only whole', async (_, address, at) => {
    const { take, used, quiet } = terminal();
    for (const line of cut(address, ...at)) take(`  ${line}\r`);
    await quiet();
    expect(used).toEqual([address]);
  });

  it('A code at the end that may be cut is used only after an empty line, however long that takes', async () => {
    const { take, used, told, quiet } = terminal();
    const [first = '', rest = ''] = cut(codeLast, codeLast.length - 4);
    take(first);
    await quiet();
    expect(used).toEqual([]);
    expect(told).toEqual([expect.stringContaining('press Enter again')]);
    take(rest);
    await quiet();
    expect(used).toEqual([]);
    take('');
    expect(used).toEqual([codeLast]);
  });

  it('A program that writes to the input needs no second line', async () => {
    const { take, used, quiet } = terminal({ interactive: false });
    take(codeLast);
    await quiet();
    expect(used).toEqual([codeLast]);
  });

  it('An address whose rest does not come is said to be cut, and the whole one is taken afterwards', async () => {
    const { take, used, told, quiet } = terminal();
    take(stateLast.slice(0, 55));
    await quiet();
    expect(told).toEqual([expect.stringContaining('not the whole address')]);
    take(stateLast);
    await quiet();
    expect(used).toEqual([stateLast]);
  });

  it('What is no address of this computer is passed on at once, to be refused in words', () => {
    const { take, used } = terminal();
    take('nonsense');
    take('https://evil.example/callback?code=1&state=2');
    expect(used).toEqual(['nonsense', 'https://evil.example/callback?code=1&state=2']);
  });

  it('A refusal of the provider is taken like a code', async () => {
    const { take, used, quiet } = terminal({ known: false });
    const refusal = `${place}?error=access_denied&state=${state}`;
    for (const line of cut(refusal, 60)) take(line);
    await quiet();
    expect(used).toEqual([refusal]);
  });
});
