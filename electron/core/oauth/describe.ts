import type { Discovered } from '../../../shared/model.ts';
import { suggestName } from '../servers/name.ts';
import type { Discovery } from './discovery.ts';

/** What discovery found, in the words of the "add a server" screen. Hosts are shown as DNS has them (punycode). */
export function describeDiscovery(url: URL, discovery: Discovery): Discovered {
  const common = { url: url.href, suggestedName: suggestName(url) };
  if (discovery.kind === 'open') {
    return {
      ...common,
      summary: 'No sign-in needed: this server answers everyone.',
      needsSignIn: false,
      otherHosts: [],
      scopes: [],
      registration: 'not_needed',
      pkceMissing: false,
    };
  }
  const { authorizationServer, otherHosts, scopes, pkceMissing } = discovery;
  const registration = authorizationServer.registration_endpoint === undefined ? 'client_id_needed' : 'dynamic';
  return {
    ...common,
    summary: [`Signs you in at ${new URL(authorizationServer.authorization_endpoint).host}.`, how[registration], ...(pkceMissing ? [noPkce] : [])].join(' '),
    needsSignIn: true,
    issuer: authorizationServer.issuer,
    otherHosts: [...otherHosts],
    scopes: [...scopes],
    registration,
    pkceMissing,
  };
}

const how = {
  dynamic: 'Keybridge registers itself.',
  client_id_needed: 'It needs a client ID: ask its operator for one.',
} as const;

const noPkce = 'It does not announce PKCE, which protects the sign-in on its way back to this computer.';
