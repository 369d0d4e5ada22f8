import type { CallInput } from '../../../shared/api.ts';
import type { ServerDetail } from '../../../shared/model.ts';
import type { SecretName, ServerSettings } from '../../../shared/server-settings.ts';

/** Undefined: stays as it is; null: is deleted. */
export type EnteredSecrets = Readonly<Partial<Record<SecretName, string | null | undefined>>>;

/** One extra parameter, as it is being typed. */
export interface ParameterRow {
  readonly name: string;
  readonly value: string;
}

export interface SettingsForm {
  readonly clientId: string;
  readonly clientSecret: string | null | undefined;
  /** The client is this account's alone. */
  readonly ownClient: boolean;
  readonly allowMissingPkce: boolean;
  /** Without the parameters, which are typed in rows. */
  readonly settings: ServerSettings;
  readonly authorizeRows: readonly ParameterRow[];
  readonly tokenRows: readonly ParameterRow[];
  readonly secrets: EnteredSecrets;
}

export type SettingsChange = Omit<CallInput<'configureServer'>, 'server'>;

export function settingsForm(
  detail: Pick<ServerDetail, 'registration' | 'clientId' | 'ownClient' | 'allowMissingPkce' | 'settings'>,
): SettingsForm {
  const { authorizeParameters, tokenParameters, ...settings } = detail.settings;
  return {
    clientId: detail.registration === 'configured' ? (detail.clientId ?? '') : '',
    clientSecret: undefined,
    ownClient: detail.ownClient,
    allowMissingPkce: detail.allowMissingPkce,
    settings,
    authorizeRows: rowsOf(authorizeParameters),
    tokenRows: rowsOf(tokenParameters),
    secrets: {},
  };
}

/**
 * What the form changes, and nothing else; undefined when it changes nothing. A client ID that is emptied takes its
 * secret along, because a secret belongs to one client ID.
 */
export function settingsChange(detail: ServerDetail, form: SettingsForm): SettingsChange | undefined {
  const before = settingsForm(detail);
  const clientId = form.clientId.trim();
  const change: SettingsChange = {};
  if (clientId !== before.clientId) change.clientId = clientId === '' ? null : clientId;
  if (form.clientSecret !== undefined) change.clientSecret = form.clientSecret;
  else if (change.clientId === null) change.clientSecret = null;
  // Named, the account gets a client of its own; the others keep the server's.
  const { account } = detail.status;
  if (account && form.ownClient && !detail.ownClient && change.clientId !== undefined) change.account = account.name;
  if (form.allowMissingPkce !== detail.allowMissingPkce) change.allowMissingPkce = form.allowMissingPkce;
  const settings = settingsOf(form);
  if (textOf(settings) !== textOf(tidied(detail.settings))) change.settings = settings;
  const secrets = Object.entries(form.secrets).filter(([, value]) => value !== undefined);
  if (secrets.length > 0) change.secrets = Object.fromEntries(secrets);
  return Object.keys(change).length === 0 ? undefined : change;
}

/** All settings of the form, as they are stored. */
export function settingsOf({ settings, authorizeRows, tokenRows }: SettingsForm): ServerSettings {
  return tidied({
    ...settings,
    authorizeParameters: parametersOf(authorizeRows),
    tokenParameters: parametersOf(tokenRows),
  });
}

const rowsOf = (parameters: Readonly<Record<string, string>> = {}): ParameterRow[] =>
  Object.entries(parameters).map(([name, value]) => ({ name, value }));

const parametersOf = (rows: readonly ParameterRow[]): Record<string, string> =>
  Object.fromEntries(rows.filter((row) => !isBlank(row)).map(({ name, value }) => [name.trim(), value]));

/** An empty row is ignored. */
export const isBlank = ({ name, value }: ParameterRow): boolean => name.trim() === '' && value.trim() === '';

/** Removes empty values: an empty field means the default. */
export function tidied(settings: ServerSettings): ServerSettings {
  return tidy(settings) ?? {};
}

function tidy<Value>(value: Value): Value | undefined {
  if (typeof value === 'string') return (value.trim() === '' ? undefined : value.trim()) as Value | undefined;
  if (typeof value !== 'object' || value === null) return value;
  const list = Array.isArray(value);
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    const tidiedInner: unknown = tidy(inner);
    return tidiedInner === undefined ? [] : [[name, tidiedInner] as const];
  });
  if (kept.length === 0) return undefined;
  return (list ? kept.map(([, inner]) => inner) : Object.fromEntries(kept)) as Value;
}

/** Equal settings give equal text, independent of their order. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
