import { AppError, sanitizeExternalText } from '../../base/errors.ts';
import { isLoopbackHost } from '../../../../shared/loopback.ts';
import { sameSite } from '../../http/same-site.ts';
import type { Secret } from '../../base/secret.ts';
import type { Server } from '../../servers/server.ts';
import { presetFor } from '../providers/presets.ts';
import { decodedClaims } from '../identity/jwt-claims.ts';
import type { CredentialFacts } from '../../vault/credential.ts';

/** Who an access token of one sign-in may be for. */
export interface KnownAudiences {
  /** Addresses of the MCP server and of the issuer: every audience on their sites is known. */
  readonly sites: readonly string[];
  /** Named exactly: our client ID, what the settings ask for, the accepted exception. */
  readonly exact: readonly string[];
  /** Addresses that a preset names; each stands for its host. */
  readonly hosts: readonly string[];
}

/** `facts`: of the sign-in; undefined where they are lost, and then the server's own site is all that is known. */
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
    exact: exact.filter((one) => one !== undefined),
    hosts: (facts && presetFor(facts.issuer, settings.preset)?.audiences) ?? [],
  };
}

/** What the setting `audienceException` takes. */
const longestAudience = 2_000;

/**
 * Why an access token must not be sent to its MCP server (RFC 8707 2, RFC 9068 4): it is a JWT whose every audience is
 * an address of another site. Undefined: nothing speaks against it, as with an opaque token, one without an audience,
 * and one that also names something that is no address (an application's ID).
 */
export function audienceFault(token: Secret, known: KnownAudiences): AppError | undefined {
  const { aud } = decodedClaims(token.reveal()) ?? {};
  const audiences = aud === undefined ? [] : [aud].flat();
  if (audiences.length === 0 || !audiences.every((audience) => isStranger(audience, known))) return undefined;
  // Offered only where it can be shown as it is, so that who accepts it has seen exactly what they accept.
  const [first] = audiences.filter((audience) => sanitizeExternalText(audience, longestAudience) === audience);
  const setting = first === undefined ? '' : ' The setting audienceException accepts exactly one audience.';
  return new AppError(
    'E_TOKEN_AUDIENCE',
    `The access token is for ${sanitizeExternalText(audiences.join(', '), 200)} and names neither this server nor its authorization server, so it was not sent.${setting}`,
    { sent: false, ...(first === undefined ? {} : { audience: first }) },
  );
}

function isStranger(audience: unknown, { sites, exact, hosts }: KnownAudiences): boolean {
  const url = siteAddress(audience);
  if (!url || exact.some((one) => withoutSlash(one) === withoutSlash(String(audience)))) return false;
  return (
    !addresses(sites).some((one) => sameSite(siteName(one), siteName(url))) &&
    !addresses(hosts).some(({ host }) => host === url.host)
  );
}

/** An address of a website; undefined for any other identifier. */
function siteAddress(value: unknown): URL | undefined {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** All names of this computer are one site. */
const siteName = (url: URL): string => (isLoopbackHost(url) ? 'localhost' : url.hostname);

const addresses = (texts: readonly string[]): URL[] => texts.flatMap((text) => siteAddress(text) ?? []);
const withoutSlash = (text: string): string => text.replace(/\/$/, '');
