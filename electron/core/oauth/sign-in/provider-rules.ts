import { defined } from '../../../../shared/defined.ts';
import { mayBeExtra } from '../../../../shared/extra-parameters.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { presetFor, type Preset } from '../providers/presets.ts';
import type { TokenQuirks } from '../../vault/credential.ts';
import type { Server } from '../../servers/server.ts';
import type { ProtectedServer } from './discover-server.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';

/** How a sign-in deviates from the standard. The user's settings take precedence over the preset. */
export interface ProviderRules {
  readonly preset?: Preset;
  /** Stored with the credential, even if it is not sent. */
  readonly resource: string;
  /** False: no request contains the `resource` parameter. */
  readonly sendResource: boolean;
  /** Parameters of the authorization request in addition to the standard ones. */
  readonly authorizeParameters: Readonly<Record<string, string>>;
  readonly quirks?: TokenQuirks;
  /** True: the provider is known to support PKCE, although its metadata does not say so. */
  readonly supportsPkce: boolean;
}

/** Throws E_BAD_INPUT for an unknown preset, and for an extra parameter with the name of a standard one. */
export function rulesFor(
  settings: ServerSettings,
  { issuerNamed, resource: discovered }: ProtectedServer,
): ProviderRules {
  const preset = presetFor(issuerNamed, settings.preset);
  if (!preset && settings.preset !== undefined && settings.preset !== 'none')
    throw new AppError('E_BAD_INPUT', `There is no preset "${sanitizeExternalText(settings.preset, 40)}".`, {
      field: 'settings.preset',
    });
  const mode = settings.resource ?? preset?.resource ?? 'send';
  const resource = typeof mode === 'object' ? mode.value : discovered;
  const sendResource = mode !== 'omit';
  const parameters = fillIn({ ...preset?.token, ...extraParameters(settings, 'tokenParameters') }, resource);
  const quirks: TokenQuirks = defined({
    omitResource: sendResource ? undefined : true,
    parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
    scopeOnRefresh: preset?.scopeOnRefresh ? true : undefined,
    tokensIn: preset?.tokensIn,
  });
  return {
    resource,
    sendResource,
    authorizeParameters: fillIn(
      { ...preset?.authorize, ...extraParameters(settings, 'authorizeParameters') },
      resource,
    ),
    supportsPkce: preset?.missingPkce === 'allowed',
    ...defined({ preset, quirks: Object.keys(quirks).length > 0 ? quirks : undefined }),
  };
}

/** MCP, Authorization Code Protection: the sign-in must not proceed if the metadata does not announce PKCE. */
export function refuseWithoutPkce(
  server: Pick<Server, 'allowMissingPkce'>,
  { pkceMissing, authorizationServer }: ProtectedServer,
  { supportsPkce }: ProviderRules,
): void {
  if (!pkceMissing || supportsPkce || server.allowMissingPkce) return;
  throw new AppError(
    'E_PKCE_UNSUPPORTED',
    `${new URL(authorizationServer.issuer).host} does not announce PKCE with S256.`,
  );
}

function extraParameters(
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

const fillIn = (parameters: Readonly<Record<string, string>>, resource: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, value.replaceAll('{resource}', resource)]),
  );
