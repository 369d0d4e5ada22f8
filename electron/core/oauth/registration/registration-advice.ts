import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Preset } from '../providers/presets.ts';
import type { AuthorizationServer } from '../model.ts';
import type { ServerSettings } from '../../../../shared/server-settings.ts';

/** How to register by hand where the server has no registration endpoint, with the redirect URI to copy. */
export function adviceOf(preset: Preset | undefined, redirectUri: string): string {
  const steps = preset?.advice ?? 'Register Keybridge there by hand.';
  return `${steps} Redirect URI: ${redirectUri}`;
}

/**
 * The URL of the user's client ID metadata document, if there is one and the authorization server supports them
 * (draft-ietf-oauth-client-id-metadata-document). Throws E_BAD_INPUT for a URL that servers must reject.
 */
export function clientMetadataUrl(
  { clientMetadataUrl: text }: ServerSettings,
  { client_id_metadata_document_supported: supported }: AuthorizationServer,
): string | undefined {
  if (text === undefined || supported !== true) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Servers compare it as a string: a URL that a parser would change (dot segments, upper case) is another client.
  const plain =
    url?.href === text &&
    url.protocol === 'https:' &&
    url.pathname !== '/' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  if (!plain || text.includes('#'))
    throw new AppError(
      'E_BAD_INPUT',
      `clientMetadataUrl must be a plain https address with a path, not "${sanitizeExternalText(text)}".`,
      { field: 'settings.clientMetadataUrl' },
    );
  return text;
}
