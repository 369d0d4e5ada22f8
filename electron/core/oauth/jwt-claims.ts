import { decodeJwt } from 'jose';
import { foreign } from '../errors.ts';

/**
 * The claims of a JWT as text for display, or undefined when the token is none (opaque, encrypted). Nothing is verified:
 * these claims are shown to a person and never decide anything (TR15).
 */
export function displayClaims(jwt: string): Readonly<Record<string, string>> | undefined {
  const claims = decode(jwt);
  if (!claims) return undefined;
  const shown = Object.entries(claims).slice(0, 50);
  return Object.fromEntries(shown.map(([name, value]) => [foreign(name, 60), foreign(typeof value === 'string' ? value : JSON.stringify(value), 300)]));
}

/**
 * Claims of an ID token that was meant for us, for display, with the name of who signed in. Its signature is not
 * checked: it came straight from the token endpoint over TLS (OpenID Connect Core 3.1.3.7, 6), and nothing depends on it.
 * For that reason its dates and algorithm cannot break a sign-in either (a clock that is off, an encrypted token).
 * `iss` and `aud` must fit, so that nobody is shown somebody else's name.
 */
export function readIdToken(idToken: string, issuer: string, clientId: string): { readonly claims: Readonly<Record<string, string>>; readonly account?: string } | undefined {
  const claims = decode(idToken);
  if (!claims || claims.iss !== issuer || ![claims.aud].flat().includes(clientId)) return undefined;
  const names = [claims['name'], claims['preferred_username'], claims['email'], claims.sub];
  const name = names.find((one): one is string => typeof one === 'string' && foreign(one) !== '');
  return { claims: displayClaims(idToken) ?? {}, ...(name === undefined ? {} : { account: foreign(name) }) };
}

function decode(jwt: string): ReturnType<typeof decodeJwt> | undefined {
  try {
    return decodeJwt(jwt);
  } catch {
    return undefined;
  }
}
