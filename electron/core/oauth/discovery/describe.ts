import { defined } from '../../../../shared/defined.ts';
import type { Discovered, ServerSettings } from '../../../../shared/model.ts';
import { suggestName } from '../../servers/name.ts';
import { presetFor } from '../providers/presets.ts';
import type { Discovery } from '../model.ts';

/**
 * The result of discovery, as the "add a server" screen shows it. Hosts are shown in their DNS form (punycode), so that
 * look-alike characters are visible.
 */
export function describeDiscovery(url: URL, discovery: Discovery, settings: ServerSettings = {}): Discovered {
  const common = { url: url.href, suggestedName: suggestName(url) };
  if (discovery.kind === 'open') {
    return {
      ...common,
      summary: 'No sign-in needed: this server is open to everyone.',
      needsSignIn: false,
      otherHosts: [],
      scopes: [],
      registration: 'not_needed',
      pkceMissing: false,
    };
  }
  const { authorizationServer, otherHosts, scopes, issuerNamed } = discovery;
  const preset = presetFor(issuerNamed, settings.preset);
  const knownToSupportPkce = preset?.missingPkce === 'allowed';
  const pkceMissing = discovery.pkceMissing && !knownToSupportPkce;
  const pkce = pkceMissing
    ? [noPkce]
    : discovery.pkceMissing && preset
      ? [`${preset.title} supports PKCE, although it does not announce it.`]
      : [];
  const registration = authorizationServer.registration_endpoint === undefined ? 'client_id_needed' : 'dynamic';
  return {
    ...common,
    summary: [
      `Signs you in at ${new URL(authorizationServer.authorization_endpoint).host}.`,
      registrationText[registration],
      ...pkce,
    ].join(' '),
    needsSignIn: true,
    issuer: authorizationServer.issuer,
    otherHosts: [...otherHosts],
    scopes: [...scopes],
    registration,
    pkceMissing,
    ...defined({ preset: preset?.title, advice: preset?.advice, providerPage: preset?.page }),
  };
}

const registrationText = { dynamic: 'Keybridge registers itself.', client_id_needed: 'It needs a client ID.' } as const;

const noPkce = 'It does not announce PKCE, which protects the sign-in on its way back to this computer.';
