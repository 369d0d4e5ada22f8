import type { SettingsForm } from './settings-change.ts';
import { settingsOf } from './settings-change.ts';
import { t } from '../../text.ts';

export type GroupName = 'signIn' | 'access' | 'network' | 'compatibility';

/** Field (as errors name it) -> its group. What is not named here belongs to the way to sign in. */
const places: readonly (readonly [RegExp, GroupName])[] = [
  [/^settings\.(scopes|identity)/, 'access'],
  [/^settings\.(caFile|caOrigins|clientCertificateFile|dpop)|^secrets\.clientCertificatePassword/, 'network'],
  [/^settings\.(preset|resource|authorizeParameters|tokenParameters)|^allowMissingPkce/, 'compatibility'],
  [/^settings\.(issuerException|audienceException|legacyEndpoints)/, 'compatibility'],
];

export const groupOf = (field: string): GroupName => places.find(([pattern]) => pattern.test(field))?.[1] ?? 'signIn';

/** The current value of a group, in a few words. */
export function groupValue(group: GroupName, form: SettingsForm): string {
  const { grant, scopes } = form.settings;
  if (group === 'signIn') return t(`settings.grants.${grant ?? 'authorization_code'}`);
  if (group === 'access')
    return Array.isArray(scopes) ? scopes.join(' ') : t(`settings.scopesChoices.${scopes ?? 'suggested'}`);
  const settings = Object.keys(settingsOf(form)).filter((name) => groupOf(`settings.${name}`) === group);
  const count = settings.length + (group === 'compatibility' && form.allowMissingPkce ? 1 : 0);
  return count === 0 ? t('settings.standard') : t('settings.countSet', { count });
}
