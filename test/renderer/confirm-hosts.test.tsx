import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { StatePanel } from '../../renderer/server/state-panel.tsx';
import { stateText } from '../../shared/state-text.ts';
import { exampleServer, hostile } from '../fixtures/renderer-preview/states.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

const asking: Extract<SignInState, { kind: 'signing_in' }> = {
  kind: 'signing_in',
  step: 'confirm',
  startedAt: 0,
  otherHosts: ['tokens.evil.example'],
  confirm: [
    { what: 'page', host: 'login.honest.example' },
    { what: 'token', host: 'tokens.evil.example' },
  ],
};
const panel = (state: SignInState) =>
  renderToStaticMarkup(<StatePanel server={exampleServer('linear', state)} detail={undefined} />);

describe('the confirmation of sign-in hosts in the window', () => {
  it('names each host, with one button to continue and the usual cancel button', () => {
    const text = panel(asking)
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll(/\s+/g, ' ');
    expect(text).toContain('You sign in at login.honest.example');
    expect(text).toContain('The authorization code is sent to tokens.evil.example');
    expect(text).toContain('These belong together. Continue');
    expect(text).toContain('Cancel');
    expect(text).not.toContain('also passes through');
    expect(stateText(exampleServer('linear', asking), 0)).toBe('Signing in, waiting for your confirmation');
  });

  it('shows markup in a host name as text', () => {
    const markup = panel({
      ...asking,
      confirm: [
        { what: 'page', host: hostile.markup },
        { what: 'token', host: hostile.bidi },
      ],
    });
    expect(markup).not.toContain('<img');
    expect(markup).not.toContain('\u202e');
  });
});
