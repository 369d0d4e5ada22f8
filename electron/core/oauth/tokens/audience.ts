import { defined } from '../../../../shared/defined.ts';
import { isLoopbackHost } from '../../../../shared/loopback.ts';
import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { sameSite } from '../../http/same-site.ts';
import type { Secret } from '../../base/secret.ts';
import type { Server } from '../../servers/server.ts';
import { presetFor } from '../providers/presets.ts';
import { decodedClaims } from '../identity/jwt-claims.ts';
import type { CredentialFacts } from '../../vault/credential.ts';

/** The audiences that an access token of one sign-in may have. */
export interface KnownAudiences {
  /** Addresses of the MCP server and of the issuer: any audience on the same site is accepted. */
  readonly sites: readonly string[];
  /** Accepted only exactly: our client ID, the audience that the settings request, the accepted exception. */
  readonly exact: readonly string[];
  /** Addresses that a preset names: any audience on the same host is accepted. */
  readonly hosts: readonly string[];
}

/** `facts`: of the sign-in; when undefined, only the server's own site is accepted. */
export function knownAudiences(
  { url, settings }: Pick<Server, 'url' | 'settings'>,
  facts: Pick<CredentialFacts, 'issuer' | 'resource' | 'clientId'> | undefined,
): KnownAudiences {
  const { authorizeParameters, tokenParameters, audienceException } = settings;
  const exact = [
    facts?.clientId,
    facts?.resource,
    authorizeParameters?.['audience'],
    tokenParameters?.['audience'],
    audienceException,
  ];
  return {
    sites: [url, ...(facts ? [facts.issuer] : [])],
    exact: exact.filter((audience) => audience !== undefined),
    hosts: (facts && presetFor(facts.issuer, settings.preset)?.audiences) ?? [],
  };
}

/** The limit of the setting `audienceException`. */
const maxAudienceLength = 2_000;

/**
 * Returns an error when an access token must not be sent to its MCP server (RFC 8707 2, RFC 9068 4): it is a JWT, and
 * each of its audiences is an address on another site. Opaque tokens, tokens without an audience, and tokens with an
 * audience that is not an address (such as an application ID) are accepted.
 */
export function audienceFault(token: Secret, known: KnownAudiences): AppError | undefined {
  const { aud } = decodedClaims(token.reveal()) ?? {};
  const audiences = aud === undefined ? [] : [aud].flat();
  if (audiences.length === 0 || !audiences.every((audience) => isForeign(audience, known))) return undefined;
  // An exception is offered only for an audience that can be displayed unchanged: the user accepts exactly what is
  // shown.
  const [first] = audiences.filter((audience) => sanitizeExternalText(audience, maxAudienceLength) === audience);
  const named = sanitizeExternalText(audiences.join(', '), 200);
  const setting = first === undefined ? '' : ' The setting audienceException can accept one audience.';
  return new AppError(
    'E_TOKEN_AUDIENCE',
    `The access token is for ${named}, not for this server or its authorization server, ` +
      `so Keybridge did not send it.${setting}`,
    { sent: false, ...defined({ audience: first }) },
  );
}

function isForeign(audience: unknown, { sites, exact, hosts }: KnownAudiences): boolean {
  const url = siteAddress(audience);
  if (!url || exact.some((known) => withoutSlash(known) === withoutSlash(String(audience)))) return false;
  return (
    !addresses(sites).some((site) => sameSite(siteName(site), siteName(url))) &&
    !addresses(hosts).some(({ host }) => host === url.host)
  );
}

/** The address of a website; undefined for any other identifier. */
function siteAddress(value: unknown): URL | undefined {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** All names of this computer count as one site. */
const siteName = (url: URL): string => (isLoopbackHost(url) ? 'localhost' : url.hostname);

const addresses = (texts: readonly string[]): URL[] => texts.flatMap((text) => siteAddress(text) ?? []);
const withoutSlash = (text: string): string => text.replace(/\/$/, '');
