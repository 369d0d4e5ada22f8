import { mayBeExtra } from '../../../shared/extra-parameters.ts';
import { isLoopbackHost } from '../../../shared/loopback.ts';
import type { ServerDetail } from '../../../shared/model.ts';
import { isBlank, settingsOf, type ParameterRow, type SettingsForm } from './settings-change.ts';
import { t } from '../../text.ts';
import type { SecretName } from '../../../shared/server-settings.ts';

/** Field (as errors name it) -> what is wrong there, in a sentence. */
export type Problems = Readonly<Record<string, string>>;

/** The problems that prevent saving. The core checks again; this shows them at the field before anything is sent. */
export function problemsOf(form: SettingsForm, stored: ServerDetail['storedSecrets']): Problems {
  const settings = settingsOf(form);
  const { grant, scopes, resource, enterprise, issuerException, audienceException } = settings;
  const has = (name: SecretName): boolean => {
    const entered = name === 'clientSecret' ? form.clientSecret : form.secrets[name];
    return entered === undefined ? stored.includes(name) : entered !== null;
  };
  const found: Record<string, string> = {};
  const note = (wrong: boolean, field: string, text: string): void => {
    if (wrong) found[field] ??= text;
  };

  if (grant === 'static_header') note(!has('headerValue'), 'secrets.headerValue', t('settings.problems.keyMissing'));
  if (grant === 'jwt_bearer')
    note(
      settings.assertionFile === undefined && !has('assertion'),
      'secrets.assertion',
      t('settings.problems.assertionMissing'),
    );
  if (grant === 'client_credentials')
    note(form.clientId.trim() === '', 'clientId', t('settings.problems.clientIdMissing'));
  if (grant === 'enterprise_managed') {
    note(!isHttps(enterprise?.issuer ?? ''), 'settings.enterprise.issuer', t('settings.problems.httpsAddress'));
    note((enterprise?.clientId ?? '') === '', 'settings.enterprise.clientId', t('settings.problems.clientIdMissing'));
    note(!isWholePath(enterprise?.caFile), 'settings.enterprise.caFile', t('settings.problems.wholePath'));
    note(
      enterprise?.tokenEndpoint !== undefined && !isHttps(enterprise.tokenEndpoint),
      'settings.enterprise.tokenEndpoint',
      t('settings.problems.httpsAddress'),
    );
  }
  note(
    settings.headerName !== undefined && !headerName.test(settings.headerName),
    'settings.headerName',
    t('settings.problems.headerName'),
  );
  note(
    Array.isArray(form.settings.scopes) && !Array.isArray(scopes),
    'settings.scopes',
    t('settings.problems.scopesMissing'),
  );
  note(
    form.settings.resource !== undefined &&
      typeof form.settings.resource === 'object' &&
      (typeof resource !== 'object' || !URL.canParse(resource.value)),
    'settings.resource',
    t('settings.problems.uri'),
  );
  note(
    settings.clientMetadataUrl !== undefined && !isDocumentUrl(settings.clientMetadataUrl),
    'settings.clientMetadataUrl',
    t('settings.problems.documentAddress'),
  );
  for (const name of ['caFile', 'clientCertificateFile', 'assertionFile'] as const)
    note(!isWholePath(settings[name]), `settings.${name}`, t('settings.problems.wholePath'));
  note(
    (settings.caOrigins ?? []).some((one) => one.trim() !== '' && !isHttps(one.trim())),
    'settings.caOrigins',
    t('settings.problems.httpsAddress'),
  );
  note(
    audienceException !== undefined && !URL.canParse(audienceException),
    'settings.audienceException',
    t('settings.problems.uri'),
  );
  if (issuerException) {
    note(
      !URL.canParse(issuerException.named ?? ''),
      'settings.issuerException.named',
      t('settings.problems.bothNames'),
    );
    note(
      !URL.canParse(issuerException.found ?? ''),
      'settings.issuerException.found',
      t('settings.problems.bothNames'),
    );
  }
  note(
    form.authorizeRows.some(isWrong(form.authorizeRows)),
    'settings.authorizeParameters',
    t('settings.problems.parameters'),
  );
  note(form.tokenRows.some(isWrong(form.tokenRows)), 'settings.tokenParameters', t('settings.problems.parameters'));
  return found;
}

/** A row whose name is reserved or duplicate, or whose value is empty. */
export const isWrong =
  (rows: readonly ParameterRow[]) =>
  (row: ParameterRow): boolean =>
    !isBlank(row) &&
    (!mayBeExtra(row.name.trim()) ||
      row.value.trim() === '' ||
      rows.filter((other) => other.name.trim() === row.name.trim()).length > 1);

/** RFC 9110 5.6.2. */
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;

/** An https address, or plain http on this computer. */
function isHttps(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url));
}
const isDocumentUrl = (text: string): boolean =>
  URL.canParse(text) && new URL(text).protocol === 'https:' && new URL(text).pathname !== '/';

/** A relative path would be resolved against Keybridge's own working directory. */
const isWholePath = (file: string | undefined): boolean => file === undefined || /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(file);
