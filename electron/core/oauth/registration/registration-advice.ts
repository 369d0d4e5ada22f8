import type { ServerSettings } from '../../../../shared/model.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import type { Preset } from '../providers/presets.ts';
import type { AuthorizationServer } from '../model.ts';

/** What a person does where nobody can register by themselves, with the redirect URI to copy. */
export function adviceOf(preset: Preset | undefined, redirectUri: string): string {
  const steps = preset?.advice ?? 'Register Keybridge there by hand.';
  return `Redirect URI: ${redirectUri} . ${steps}`;
}

/**
 * The client ID metadata document to sign in with, where the user hosts one and the authorization server reads them
 * (draft-ietf-oauth-client-id-metadata-document). Throws E_BAD_INPUT for an address that no server may take.
 */
export function clientMetadataUrl(
  { clientMetadataUrl: text }: ServerSettings,
  { client_id_metadata_document_supported: supported }: AuthorizationServer,
): string | undefined {
  if (text === undefined || supported !== true) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Compared as a string at the server: what a parser would change (dot segments, upper case) is not the same client.
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
