import { mayBeExtra } from '../../../../shared/extra-parameters.ts';
import type { ServerSettings } from '../../../../shared/model.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { presetFor, type Preset } from '../providers/presets.ts';
import type { Discovery } from '../model.ts';
import type { TokenQuirks } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';

type Protected = Extract<Discovery, { kind: 'protected' }>;

/** What one sign-in does differently from the standard way: what the user set counts before what a preset knows. */
export interface ProviderRules {
  readonly preset?: Preset;
  /** Kept with the credential, whether it is sent or not. */
  readonly resource: string;
  /** False: no request carries it. */
  readonly sendResource: boolean;
  /** Besides the standard ones. */
  readonly authorizeParameters: Readonly<Record<string, string>>;
  readonly quirks?: TokenQuirks;
  /** True: known to take PKCE although its metadata does not say so. */
  readonly takesPkce: boolean;
}

/** Throws E_BAD_INPUT for a preset that does not exist, and for an extra parameter that would replace one of ours. */
export function rulesFor(settings: ServerSettings, { issuerNamed, resource: found }: Protected): ProviderRules {
  const preset = presetFor(issuerNamed, settings.preset);
  if (!preset && settings.preset !== undefined && settings.preset !== 'none')
    throw new AppError('E_BAD_INPUT', `There is no preset "${sanitizeExternalText(settings.preset, 40)}".`, {
      field: 'settings.preset',
    });
  const mode = settings.resource ?? preset?.resource ?? 'send';
  const resource = typeof mode === 'object' ? mode.value : found;
  const sendResource = mode !== 'omit';
  const parameters = filled({ ...preset?.token, ...checked(settings, 'tokenParameters') }, resource);
  const quirks: TokenQuirks = {
    ...(sendResource ? {} : { omitResource: true }),
    ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
    ...(preset?.scopeOnRefresh ? { scopeOnRefresh: true } : {}),
    ...(preset?.tokensIn === undefined ? {} : { tokensIn: preset.tokensIn }),
  };
  return {
    ...(preset ? { preset } : {}),
    resource,
    sendResource,
    authorizeParameters: filled({ ...preset?.authorize, ...checked(settings, 'authorizeParameters') }, resource),
    ...(Object.keys(quirks).length > 0 ? { quirks } : {}),
    takesPkce: preset?.missingPkce === 'allowed',
  };
}

/** MCP, Authorization Code Protection: without PKCE in the metadata the sign-in must not go on. */
export function refuseWithoutPkce(
  server: Pick<Server, 'allowMissingPkce'>,
  { pkceMissing, authorizationServer }: Protected,
  { takesPkce }: ProviderRules,
): void {
  if (!pkceMissing || takesPkce || server.allowMissingPkce) return;
  throw new AppError(
    'E_PKCE_UNSUPPORTED',
    `${new URL(authorizationServer.issuer).host} does not announce PKCE with S256.`,
  );
}

function checked(
  settings: ServerSettings,
  kind: 'authorizeParameters' | 'tokenParameters',
): Readonly<Record<string, string>> {
  const parameters = settings[kind] ?? {};
  const bad = Object.keys(parameters).find((name) => !mayBeExtra(name));
  if (bad === undefined) return parameters;
  throw new AppError('E_BAD_INPUT', `"${sanitizeExternalText(bad, 40)}" cannot be an extra parameter of a sign-in.`, {
    field: `settings.${kind}`,
  });
}

const filled = (parameters: Readonly<Record<string, string>>, resource: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, value.replaceAll('{resource}', resource)]),
  );
