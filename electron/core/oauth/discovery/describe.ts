import type { Discovered, ServerSettings } from '../../../../shared/model.ts';
import { suggestName } from '../../servers/name.ts';
import { presetFor } from '../providers/presets.ts';
import type { Discovery } from '../model.ts';

/**
 * What discovery found with these settings, in the words of the "add a server" screen. Hosts are shown as DNS has them
 * (punycode).
 */
export function describeDiscovery(url: URL, discovery: Discovery, settings: ServerSettings = {}): Discovered {
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
  const { authorizationServer, otherHosts, scopes, issuerNamed } = discovery;
  const preset = presetFor(issuerNamed, settings.preset);
  const takesPkce = preset?.missingPkce === 'allowed';
  const pkceMissing = discovery.pkceMissing && !takesPkce;
  const pkce = pkceMissing
    ? [noPkce]
    : discovery.pkceMissing && preset
      ? [`${preset.title} takes PKCE, though it does not announce it.`]
      : [];
  const registration = authorizationServer.registration_endpoint === undefined ? 'client_id_needed' : 'dynamic';
  return {
    ...common,
    summary: [
      `Signs you in at ${new URL(authorizationServer.authorization_endpoint).host}.`,
      how[registration],
      ...pkce,
    ].join(' '),
    needsSignIn: true,
    issuer: authorizationServer.issuer,
    otherHosts: [...otherHosts],
    scopes: [...scopes],
    registration,
    pkceMissing,
    ...(preset ? { preset: preset.title } : {}),
    ...(preset?.advice === undefined ? {} : { advice: preset.advice }),
    ...(preset?.page === undefined ? {} : { providerPage: preset.page }),
  };
}

const how = { dynamic: 'Keybridge registers itself.', client_id_needed: 'It needs a client ID.' } as const;

const noPkce = 'It does not announce PKCE, which protects the sign-in on its way back to this computer.';
