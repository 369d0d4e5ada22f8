import type { ReactElement } from 'react';
import { describe, expect, it } from 'vitest';
import { DiscoveryResult } from '../../renderer/add-server/discovery-result.tsx';
import { AccessSection } from '../../renderer/server/access-section.tsx';
import { AppsSection } from '../../renderer/server/apps-section.tsx';
import { IdentitySection } from '../../renderer/server/identity-section.tsx';
import { StatePanel } from '../../renderer/server/state-panel.tsx';
import { ServersScreen } from '../../renderer/servers/servers-screen.tsx';
import { exampleServer, exampleStatus, hostile } from '../fixtures/renderer-preview/states.ts';
import { markup, now, states } from '../fixtures/renderer-markup.tsx';
import { exampleDetail, exampleDiscovery } from '../fixtures/renderer-preview/details.ts';
import type { SignInState } from '../../shared/sign-in-state.ts';

describe('UI04 markup from outside is shown as text', () => {
  const hostileState: SignInState = {
    ...states.needs_sign_in,
    error: { ...states.needs_sign_in.error, message: hostile.markup, remedy: hostile.markup },
  };
  const server = exampleServer('linear', hostileState, {
    identity: hostile.markup,
    hosts: [hostile.markup, hostile.link],
    url: hostile.link,
  });
  const detail = {
    ...exampleDetail(server, now),
    requestedScopes: [hostile.markup],
    grantedScopes: [hostile.link],
    accessTokenClaims: { [hostile.markup]: hostile.markup, sub: hostile.bidi },
    introspection: { active: true, claims: { scope: hostile.markup, username: hostile.bidi } },
    tokenNotes: [hostile.markup, hostile.bidi],
  };
  const found = {
    ...exampleDiscovery('https://hard.example'),
    summary: hostile.markup,
    issuer: hostile.link,
    otherHosts: [hostile.markup],
    scopes: [hostile.markup],
  };
  const parts: [string, ReactElement][] = [
    ['list', <ServersScreen key="1" status={exampleStatus([server], { notice: hostileState.error })} />],
    ['state', <StatePanel key="2" server={server} detail={detail} />],
    ['access', <AccessSection key="3" detail={detail} />],
    ['apps', <AppsSection key="4" server={server} />],
    ['claims', <IdentitySection key="5" detail={detail} />],
    ['findings', <DiscoveryResult key="6" found={found} />],
  ];

  it.each(parts)('in the %s of the window', (_name, part) => {
    const html = markup(part);
    const tags = (html.match(/<[^>]*>/g) ?? []).map((tag) => tag.replaceAll(/"[^"]*"/g, '""'));
    expect(tags.filter((tag) => /^<(img|script|iframe|a|object|embed|form|link|style)\b/i.test(tag))).toEqual([]);
    expect(tags.filter((tag) => /\s(href|src|style|on\w+)=/i.test(tag))).toEqual([]);
    expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(html).toMatch(/alert\(/);
  });

  it('and text from outside has an element with its own direction', () => {
    expect(
      markup(<AppsSection server={exampleServer('a', states.open, { hosts: ['\u0627\u0644\u0639'] })} />),
    ).toContain('<bdi class="foreign">\u0627\u0644\u0639</bdi>');
  });
});
