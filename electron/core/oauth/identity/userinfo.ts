import { z } from 'zod';
import { defined } from '../../../../shared/defined.ts';
import { readJson } from '../../../../shared/json.ts';
import { fetchFollowingRedirect } from '../../http/follow.ts';
import type { Secret } from '../../base/secret.ts';
import type { AddressPolicy, Http } from '../../http/http.ts';

export interface UserinfoRequest {
  readonly http: Http;
  readonly allow: AddressPolicy;
  /** Checked by discovery. */
  readonly endpoint: string;
  readonly accessToken: Secret;
  /** The subject of the verified ID token. Absent if there is none. */
  readonly sub?: string;
  readonly signal?: AbortSignal;
}

/** `none`: no usable response, for example because the token is valid for the MCP server only. */
export type Userinfo =
  | { readonly kind: 'claims'; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly kind: 'other_person' }
  | { readonly kind: 'none' };

const timeoutMs = 5_000;
const maxResponseBytes = 64 * 1024;

/**
 * Requests the claims about the person who signed in (OpenID Connect Core 5.3). Does not use a response about another
 * person (5.3.2) or a signed or encrypted one. Never throws.
 */
export async function fetchUserinfo({
  http,
  allow,
  endpoint,
  accessToken,
  sub,
  signal,
}: UserinfoRequest): Promise<Userinfo> {
  try {
    const { status, body } = await fetchFollowingRedirect(http, {
      url: new URL(endpoint),
      method: 'GET',
      headers: { accept: 'application/json', authorization: `Bearer ${accessToken.reveal()}` },
      forTokens: true,
      allow,
      timeoutMs,
      maxBytes: maxResponseBytes,
      ...defined({ signal }),
    });
    if (status !== 200) return { kind: 'none' };
    const claims = z.record(z.string(), z.unknown()).parse(readJson(body));
    return sub === undefined || claims['sub'] === sub ? { kind: 'claims', claims } : { kind: 'other_person' };
  } catch {
    return { kind: 'none' };
  }
}
