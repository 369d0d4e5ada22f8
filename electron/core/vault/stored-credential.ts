import { z } from 'zod';
import { defined } from '../../../shared/defined.ts';
import { Secret } from '../base/secret.ts';
import type { StoredRecord } from './records.ts';
import {
  TokenQuirks,
  type Credential,
  type CredentialFacts,
  clientAuths,
  isRenewable,
  repeatedGrants,
} from './credential.ts';

/** A credential in the secret store. What is only displayed is in the index instead, to keep the items small. */
const Stored = z.object({
  id: z.string(),
  issuer: z.string(),
  serverUrl: z.string().optional(),
  resource: z.string(),
  quirks: TokenQuirks.optional(),
  tokenEndpoint: z.string(),
  revocationEndpoint: z.string().optional(),
  introspectionEndpoint: z.string().optional(),
  exchangeOrigins: z.array(z.string()).optional(),
  clientId: z.string(),
  clientSecret: z.string().optional(),
  clientAuth: z.enum(clientAuths),
  grant: z.enum(repeatedGrants).optional(),
  requestedScopes: z.array(z.string()),
  grantedScopes: z.array(z.string()),
  refreshToken: z.string().optional(),
  accessToken: z.string().optional(),
  expiresAt: z.number().optional(),
  account: z.string().optional(),
  subject: z.object({ issuer: z.string(), sub: z.string() }).optional(),
  signedInAt: z.number(),
  endsAt: z.number().optional(),
  lastRefreshAt: z.number().optional(),
  quarantinedAt: z.number().optional(),
});

/** Converts a credential for the store. Its secrets are revealed here, and must go nowhere else. */
export function toStored({
  generation: _generation,
  idTokenClaims: _claims,
  identityNotes: _notes,
  exchangeOrigins,
  ...credential
}: Credential): z.infer<typeof Stored> {
  return {
    ...credential,
    ...defined({ exchangeOrigins: exchangeOrigins && [...exchangeOrigins] }),
    requestedScopes: [...credential.requestedScopes],
    grantedScopes: [...credential.grantedScopes],
    clientSecret: credential.clientSecret?.reveal(),
    refreshToken: credential.refreshToken?.reveal(),
    accessToken: credential.accessToken?.reveal(),
  };
}

/** Returns undefined if the record is not a credential with this id. */
export function fromStored(
  id: string,
  record: StoredRecord,
  display: Pick<Credential, 'idTokenClaims' | 'identityNotes'> | undefined,
): Credential | undefined {
  const stored = Stored.safeParse(record.value);
  if (!stored.success || stored.data.id !== id) return undefined;
  const { clientSecret, refreshToken, accessToken, ...rest } = stored.data;
  return defined({
    ...rest,
    clientSecret: secret(clientSecret),
    refreshToken: secret(refreshToken),
    accessToken: secret(accessToken),
    idTokenClaims: display?.idTokenClaims,
    identityNotes: display?.identityNotes,
    generation: record.generation,
  });
}

/** Returns everything about a credential that is not secret. */
export function factsOf(credential: Credential): CredentialFacts {
  const { clientSecret: _clientSecret, refreshToken: _refreshToken, accessToken: _accessToken, ...facts } = credential;
  return { ...facts, renewable: isRenewable(credential) };
}

const secret = (value: string | undefined): Secret | undefined => (value === undefined ? undefined : new Secret(value));
