import type { CallInput } from '../../shared/api.ts';
import type { SecretName, ServerDetail, ServerSettings } from '../../shared/model.ts';

/** Undefined: stays as it is; null: is deleted. */
export type EnteredSecrets = Readonly<Partial<Record<SecretName, string | null | undefined>>>;

export interface SettingsForm {
  readonly clientId: string;
  readonly clientSecret: string | null | undefined;
  readonly allowMissingPkce: boolean;
  readonly settings: ServerSettings;
  readonly secrets: EnteredSecrets;
}

export function settingsForm(detail: ServerDetail): SettingsForm {
  return {
    clientId: detail.registration === 'configured' ? (detail.clientId ?? '') : '',
    clientSecret: undefined,
    allowMissingPkce: detail.allowMissingPkce,
    settings: detail.settings,
    secrets: {},
  };
}

/**
 * What the form changes, and nothing else; undefined when it changes nothing. A client ID that is emptied takes its
 * secret along, because a secret belongs to one client ID.
 */
export function settingsChange(detail: ServerDetail, form: SettingsForm): Omit<CallInput<'configureServer'>, 'server'> | undefined {
  const before = settingsForm(detail);
  const clientId = form.clientId.trim();
  const change: Omit<CallInput<'configureServer'>, 'server'> = {};
  if (clientId !== before.clientId) change.clientId = clientId === '' ? null : clientId;
  if (form.clientSecret !== undefined) change.clientSecret = form.clientSecret;
  else if (change.clientId === null) change.clientSecret = null;
  if (form.allowMissingPkce !== detail.allowMissingPkce) change.allowMissingPkce = form.allowMissingPkce;
  const settings = tidied(form.settings);
  if (textOf(settings) !== textOf(tidied(detail.settings))) change.settings = settings;
  const secrets = Object.entries(form.secrets).filter(([, value]) => value !== undefined);
  if (secrets.length > 0) change.secrets = Object.fromEntries(secrets);
  return Object.keys(change).length === 0 ? undefined : change;
}

/** Without what says nothing: an empty field is the standard way. */
export function tidied(settings: ServerSettings): ServerSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => !saysNothing(value)).map(([name, value]) => [name, typeof value === 'string' ? value.trim() : value]));
}

function saysNothing(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value === 'string') return value.trim() === '';
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.values(value).every(saysNothing);
}

const textOf = (settings: ServerSettings): string => JSON.stringify(Object.entries(settings).sort(([a], [b]) => a.localeCompare(b, 'en')));
