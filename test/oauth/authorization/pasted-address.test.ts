import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/base/system-clock.ts';
import { AppError } from '../../../electron/core/base/errors.ts';
import { createAttempt } from '../../../electron/core/oauth/authorization/attempt.ts';
import { Secret } from '../../../electron/core/base/secret.ts';

// A sign-in in a browser on another computer ends with an error page there. The user pastes its address.

const redirectUri = 'http://127.0.0.1:33427/callback/0123456789ab';
const address = `${redirectUri}?code=the-code&state=the-state`;

function waitAt(uri = redirectUri) {
  const attempt = createAttempt(systemClock(), () => {});
  const pending = attempt.awaitResponseAt(uri, {
    state: new Secret('the-state'),
    issuer: 'https://login.example',
    issSupported: false,
  });
  return { attempt, pending };
}

describe('a pasted address', () => {
  it.each([
    ['unchanged', address],
    ['in double quotes', `"${address}"`],
    ['in single quotes', `'${address}'`],
    ['in typographic quotes', `\u201c${address}\u201d`],
    ['in angle brackets, as in mails', `<${address}>`],
    ['in brackets and quotes', `["${address}"]`],
    ['in parentheses', `(${address})`],
    ['broken over several lines', `${address.slice(0, 30)}\r\n  ${address.slice(30, 60)}\n${address.slice(60)}\n`],
    ['without its scheme, which browsers hide', address.replace('http://', '')],
    ['with localhost', address.replace('127.0.0.1', 'localhost')],
    ['with localhost and without a scheme', address.replace('http://127.0.0.1', 'localhost')],
    ['with a scheme in upper case', address.replace('http', 'HTTP')],
    ['with https, to which some browsers upgrade', address.replace('http', 'https')],
    ['with an empty fragment', `${address}#`],
  ])('is accepted %s', async (_, text) => {
    const { attempt, pending } = waitAt();
    attempt.paste(text);
    const response = await pending.response;
    expect(response.kind === 'code' && response.code.reveal()).toBe('the-code');
  });

  it('with 127.0.0.1 is accepted if the redirect URI has localhost', () => {
    const { attempt, pending } = waitAt(redirectUri.replace('127.0.0.1', 'localhost'));
    attempt.paste(address);
    expect(pending.received).toBe(true);
  });

  it('keeps quotes and brackets that are part of the code', async () => {
    const { attempt, pending } = waitAt();
    attempt.paste(`${redirectUri}?state=the-state&code=a'b)`);
    const response = await pending.response;
    expect(response.kind === 'code' && response.code.reveal()).toBe("a'b)");
  });

  it.each([
    ['another port', address.replace('33427', '33428')],
    ['another path', address.replace('0123456789ab', 'ba9876543210')],
    ['another host', address.replace('127.0.0.1', 'evil.example')],
    ['a host that starts with 127.0.0.1', address.replace('127.0.0.1', '127.0.0.1.evil.example')],
    ['a user name', address.replace('//', '//user@')],
    ['another scheme', address.replace('http:', 'ftp:')],
    ['the state of another sign-in', address.replace('the-state', 'other')],
    ['text that is not an address', 'nonsense'],
    ['nothing between quotes', '""'],
  ])('with %s is rejected by an error that does not quote it', (_, text) => {
    const { attempt, pending } = waitAt();
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
