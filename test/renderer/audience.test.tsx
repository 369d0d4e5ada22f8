import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { StatePanel } from '../../renderer/server/state-panel.tsx';
import { nextStep } from '../../shared/server-state.ts';
import { stateLabel } from '../../shared/state-text.ts';
import { errorInfo, exampleServer } from '../fixtures/renderer-preview/states.ts';
import { exampleDetail } from '../fixtures/renderer-preview/details.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

const now = Date.UTC(2026, 6, 30, 12);
const audience = 'https://graph.example/v1';
const state: SignInState = {
  kind: 'needs_sign_in',
  error: { ...errorInfo('E_TOKEN_AUDIENCE', 'The access token is for another website.'), audience },
};

it('The panel of a withheld token shows its full audience and one button, and no button to sign in again', () => {
  const server = exampleServer('tools', state);
  const html = renderToStaticMarkup(<StatePanel server={server} detail={exampleDetail(server, now)} />);
  const buttons = [...html.matchAll(/<button[^>]*>(.*?)<\/button>/gs)].map(([, words]) =>
    words?.replaceAll(/<[^>]*>/g, ''),
  );
  expect(html).toContain(audience);
  expect(buttons.filter((words) => words !== 'Copy details' && words !== 'About this error')).toEqual([
    'Accept this audience',
  ]);
});

it('Window, tray and command line call a withheld token that, and its next step is to review it', () => {
  expect(stateLabel(state)).toBe('Token withheld');
  expect(nextStep(state)).toBe('review_token');
});
