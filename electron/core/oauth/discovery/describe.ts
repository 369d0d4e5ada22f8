import { defined } from '../../../../shared/defined.ts';
import { reportMessages } from '../../../../shared/messages/en/reports.ts';
import { translator } from '../../../../shared/messages/translator.ts';
import type { Discovered } from '../../../../shared/model.ts';
import { suggestName } from '../../servers/name.ts';
import { presetFor } from '../providers/presets.ts';
import type { Discovery } from '../model.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';

const { t } = translator(reportMessages);

/**
 * The result of discovery, as the "add a server" screen shows it. Hosts are shown in their DNS form (punycode), so that
 * look-alike characters are visible.
 */
export function describeDiscovery(url: URL, discovery: Discovery, settings: ServerSettings = {}): Discovered {
  const common = { url: url.href, suggestedName: suggestName(url) };
  if (discovery.kind === 'open') {
    return {
      ...common,
      summary: t('preview.open'),
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
    ? [t('preview.noPkce')]
    : discovery.pkceMissing && preset
      ? [t('preview.hiddenPkce', { provider: preset.title })]
      : [];
  const registration = authorizationServer.registration_endpoint === undefined ? 'client_id_needed' : 'dynamic';
  const { host } = new URL(authorizationServer.authorization_endpoint);
  return {
    ...common,
    summary: [
      registration === 'dynamic' ? t('preview.dynamic', { host }) : t('preview.clientIdNeeded', { host }),
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
