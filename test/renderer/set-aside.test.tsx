import type { ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { ServersScreen } from '../../renderer/servers/servers-screen.tsx';
import type { SetAside } from '../../shared/model.ts';
import { errorInfo, exampleServer, exampleStates, exampleStatus } from '../fixtures/renderer-preview/states.ts';

const textOf = (part: ReactElement): string =>
  renderToStaticMarkup(part)
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
const changed: SetAside = {
  key: '0123456789abcdef',
  name: 'work',
  url: 'https://new.example/mcp',
  why: 'changed',
  error: errorInfo('E_CONFIG_CHANGED', 'work is disabled.'),
};
const bad: SetAside = {
  key: 'entry-2',
  name: 'other',
  why: 'bad',
  error: errorInfo('E_CONFIG_ENTRY', 'other is disabled: its url is not valid.'),
};

describe('disabled servers in the window', () => {
  it('A server changed by another program is shown above the list with its new address and one button', () => {
    const text = textOf(
      <ServersScreen
        status={exampleStatus([exampleServer('linear', exampleStates(0).signed_in)], { setAside: [changed] })}
      />,
    );
    expect(text).toMatch(/work is disabled .*Use these settings .*1 of 2 servers needs attention/);
    expect(text).toContain('https://new.example/mcp');
  });

  it('An invalid server is shown with the reason and no button, even if it is the only one', () => {
    const text = textOf(<ServersScreen status={exampleStatus([], { setAside: [bad] })} />);
    expect(text).toMatch(/other is disabled .*its url is not valid/);
    expect(text).not.toContain('Use these settings');
    expect(text).not.toContain('Sign in once, for every app');
    expect(text).toContain('1 of 1 server needs attention');
  });
});
