import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { AppError } from '../../../electron/core/base/errors.ts';
import { createAttempt } from '../../../electron/core/oauth/authorization/attempt.ts';
import { Secret } from '../../../electron/core/base/secret.ts';

// The address of the browser's last page, as people bring it from another computer.

const redirectUri = 'http://127.0.0.1:33427/callback/0123456789ab';
const address = `${redirectUri}?code=the-code&state=the-state`;

function waiting(at = redirectUri) {
  const attempt = createAttempt(systemClock(), () => {});
  const pending = attempt.awaitResponseAt(at, {
    state: new Secret('the-state'),
    issuer: 'https://login.example',
    issSupported: false,
  });
  return { attempt, pending };
}

describe('a pasted address', () => {
  it.each([
    ['as it is', address],
    ['in double quotes', `"${address}"`],
    ['in single quotes', `'${address}'`],
    ['in typographic quotes', `\u201c${address}\u201d`],
    ['in angle brackets, as mail programs write it', `<${address}>`],
    ['in brackets and quotes', `["${address}"]`],
    ['in round brackets', `(${address})`],
    ['broken over lines', `${address.slice(0, 30)}\r\n  ${address.slice(30, 60)}\n${address.slice(60)}\n`],
    ['without its scheme, as browsers show it', address.replace('http://', '')],
    ['with localhost', address.replace('127.0.0.1', 'localhost')],
    ['with localhost and without its scheme', address.replace('http://127.0.0.1', 'localhost')],
    ['with a scheme in upper case', address.replace('http', 'HTTP')],
    ['with https, which some browsers put there by themselves', address.replace('http', 'https')],
    ['with a fragment at the end', `${address}#`],
  ])('is taken %s', async (_, text) => {
    const { attempt, pending } = waiting();
    attempt.paste(text);
    const answer = await pending.response;
    expect(answer.kind === 'code' && answer.code.reveal()).toBe('the-code');
  });

  it('with 127.0.0.1 is taken where the answer is awaited at localhost', () => {
    const { attempt, pending } = waiting(redirectUri.replace('127.0.0.1', 'localhost'));
    attempt.paste(address);
    expect(pending.received).toBe(true);
  });

  it('keeps a code that ends in what could be a quote or a bracket', async () => {
    const { attempt, pending } = waiting();
    attempt.paste(`${redirectUri}?state=the-state&code=a'b)`);
    const answer = await pending.response;
    expect(answer.kind === 'code' && answer.code.reveal()).toBe("a'b)");
  });

  it.each([
    ['another port', address.replace('33427', '33428')],
    ['another path', address.replace('0123456789ab', 'ba9876543210')],
    ['another host', address.replace('127.0.0.1', 'evil.example')],
    ['a host that begins like this computer', address.replace('127.0.0.1', '127.0.0.1.evil.example')],
    ['a user name', address.replace('//', '//user@')],
    ['another scheme', address.replace('http:', 'ftp:')],
    ['the state of another sign-in', address.replace('the-state', 'other')],
    ['no address at all', 'nonsense'],
    ['nothing between quotes', '""'],
  ])('with %s is refused, and nothing of it is told', (_, text) => {
    const { attempt, pending } = waiting();
    let error: unknown;
    try {
      attempt.paste(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'E_REDIRECT_URL' });
    expect((error as AppError).message).not.toMatch(/the-code|the-state/);
    expect(pending.received).toBe(false);
  });
});
