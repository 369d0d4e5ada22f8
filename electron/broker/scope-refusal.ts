import { envelope } from '../../shared/json-rpc.ts';
import type { HttpStream } from '../core/http/client.ts';
import { bearerChallenge } from '../core/oauth/discovery/challenge.ts';
import type { Challenge } from '../core/oauth/discovery/discovery.ts';

/** What a 403 to a call with a token is about. */
export type Refusal =
  /** Scopes; `scope` is there where the server names any. */
  | { readonly kind: 'scopes'; readonly challenge: Challenge; readonly stream: HttpStream }
  | { readonly kind: 'other'; readonly stream: HttpStream };

/** More of a body is not looked at. */
const lookBytes = 64 * 1024;

/**
 * Reads a 403 as servers write it: `insufficient_scope` in a Bearer challenge (RFC 6750 3.1), another name for that
 * (`missing_required_scopes`), a challenge with a scope, or a body that says so. The answer stays whole.
 */
export async function readRefusal(stream: HttpStream): Promise<Refusal> {
  const challenge = bearerChallenge(stream.headers['www-authenticate']);
  const named = challenge && (challenge.scope !== undefined || /scope/i.test(challenge.error ?? ''));
  if (challenge?.scope !== undefined) return { kind: 'scopes', challenge, stream };
  const { text, whole } = await look(stream);
  const said = saysScope.test(text);
  if (!named && !said) return { kind: 'other', stream: whole };
  const scope = scopeIn(text);
  return { kind: 'scopes', challenge: { ...challenge, ...(scope === undefined ? {} : { scope }) }, stream: whole };
}

/** Whether a refusal is JSON-RPC, which is for the host whatever its status. The answer stays whole. */
export async function readRpcRefusal(stream: HttpStream): Promise<{ readonly rpc: boolean; readonly stream: HttpStream }> {
  const { text, whole } = await look(stream);
  return { rpc: envelope(Buffer.from(text)).hasError, stream: whole };
}

const saysScope = /insufficient[ _]scopes?|missing[ _](?:required[ _])?scopes?|required[ _]scopes?|scopes? (?:is |are )?(?:required|missing)/i;

/** The scopes that a JSON body names, as far as servers have a member for that. */
function scopeIn(text: string): string | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof body !== 'object' || body === null) return undefined;
  const members = body as Readonly<Record<string, unknown>>;
  for (const name of ['missing_scopes', 'required_scopes', 'scope', 'scopes']) {
    const value = members[name];
    if (typeof value === 'string' && value !== '') return value;
    if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')) return value.join(' ');
  }
  return undefined;
}

/** The beginning of a body, and the same answer with the body as if nobody had looked. */
async function look(stream: HttpStream): Promise<{ text: string; whole: HttpStream }> {
  const rest = stream.body[Symbol.asyncIterator]();
  const seen: Buffer[] = [];
  let bytes = 0;
  while (bytes < lookBytes) {
    const next = await rest.next();
    if (next.done === true) break;
    seen.push(next.value);
    bytes += next.value.length;
  }
  async function* again(): AsyncGenerator<Buffer> {
    yield* seen;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  }
  const body = Object.assign(again(), { destroy: () => stream.body.destroy() });
  return { text: Buffer.concat(seen).toString('utf8'), whole: { ...stream, body } };
}
