import type { CallInput } from '../../shared/api.ts';
import type { ServerDetail } from '../../shared/model.ts';

export interface SettingsForm {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly allowMissingPkce: boolean;
}

/**
 * What the form changes, and nothing else; undefined when it changes nothing. A client ID that is emptied takes its
 * secret along, because a secret belongs to one client ID.
 */
export function settingsChange(detail: ServerDetail, form: SettingsForm): Omit<CallInput<'configureServer'>, 'server'> | undefined {
  const before = detail.registration === 'configured' ? (detail.clientId ?? '') : '';
  const clientId = form.clientId.trim();
  const change: Omit<CallInput<'configureServer'>, 'server'> = {};
  if (clientId !== before) change.clientId = clientId === '' ? null : clientId;
  if (form.clientSecret !== '') change.clientSecret = form.clientSecret;
  else if (change.clientId === null) change.clientSecret = null;
  if (form.allowMissingPkce !== detail.allowMissingPkce) change.allowMissingPkce = form.allowMissingPkce;
  return Object.keys(change).length === 0 ? undefined : change;
}
