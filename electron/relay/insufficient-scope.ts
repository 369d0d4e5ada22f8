import { readJson, readText } from '../../shared/json.ts';
import type { Clock } from '../core/base/clock.ts';
import type { HttpStream } from '../core/http/http.ts';
import type { Challenge } from '../core/oauth/model.ts';

/** More of a body is not looked at. */
const lookBytes = 64 * 1024;
/** Nor is there a wait for it. */
const lookMs = 2_000;

/**
 * What a 403 asks for, as servers write it: `insufficient_scope` in a Bearer challenge (RFC 6750 3.1), another name for
 * that (`missing_required_scopes`), a challenge with a scope, or a body that says so. Undefined: it is not about
 * scopes.
 */
export function scopesMissing(challenge: Challenge | undefined, text: string): Challenge | undefined {
  if (challenge?.scope !== undefined) return challenge;
  if (!/scope/i.test(challenge?.error ?? '') && !saysScope.test(text)) return undefined;
  const scope = scopeIn(text);
  return { ...challenge, ...(scope === undefined ? {} : { scope }) };
}

const saysScope =
  /insufficient[ _]scopes?|missing[ _](?:required[ _])?scopes?|required[ _]scopes?|scopes? (?:is |are )?(?:required|missing)/i;

/** The scopes that a JSON body names, as far as servers have a member for that. */
function scopeIn(text: string): string | undefined {
  const body = readJson(text);
  if (typeof body !== 'object' || body === null) return undefined;
  const members = body as Readonly<Record<string, unknown>>;
  for (const name of ['missing_scopes', 'required_scopes', 'scope', 'scopes']) {
    const value = members[name];
    if (typeof value === 'string' && value !== '') return value;
    if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string'))
      return value.join(' ');
  }
  return undefined;
}

/**
 * The beginning of a body, as far as it comes within `lookMs`, and the same answer with the body as if nobody had
 * looked.
 */
export async function look(stream: HttpStream, clock: Clock): Promise<{ text: string; whole: HttpStream }> {
  const rest = stream.body[Symbol.asyncIterator]();
  const seen: Buffer[] = [];
  let bytes = 0;
  let cancel = () => {};
  const late = new Promise<'late'>((resolve) => {
    cancel = clock.after(lookMs, () => resolve('late'));
  });
  let pending: Promise<IteratorResult<Buffer>> | undefined;
  try {
    while (bytes < lookBytes) {
      pending = rest.next();
      const next = await Promise.race([pending, late]);
      if (next === 'late') break;
      pending = undefined;
      if (next.done === true) break;
      seen.push(next.value);
      bytes += next.value.length;
    }
  } finally {
    cancel();
  }
  // Whoever reads on hears of a fault; nobody has to.
  pending?.catch(() => {});
  async function* again(): AsyncGenerator<Buffer> {
    try {
      yield* seen;
      for (let next = await (pending ?? rest.next()); next.done !== true; next = await rest.next()) yield next.value;
    } finally {
      // Who reads no further wants no more of it.
      stream.body.destroy();
    }
  }
  const body = Object.assign(again(), { destroy: () => stream.body.destroy() });
  return { text: readText(Buffer.concat(seen)), whole: { ...stream, body } };
}
