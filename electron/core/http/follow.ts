import type { Http, HttpResponse, HttpRequest } from './http.ts';

/**
 * Fetches, and follows one redirect that keeps method and body (307, 308; RFC 9110 15.4.8) on the same origin: servers
 * answer so to a path that lacks a slash, before anything has looked at the request. Every other redirect is the
 * caller's to see. Throws what `http.fetch` throws.
 */
export async function fetchFollowingRedirect(http: Pick<Http, 'fetch'>, request: HttpRequest): Promise<HttpResponse> {
  const answer = await http.fetch(request);
  const target = repeatAt(answer, request.url);
  return target ? http.fetch({ ...request, url: target }) : answer;
}

/** The address to which the same request is redirected; undefined: none, or one at another origin. */
function repeatAt({ status, headers }: Pick<HttpResponse, 'status' | 'headers'>, from: URL): URL | undefined {
  const location = headers['location'];
  if ((status !== 307 && status !== 308) || location === undefined || !URL.canParse(location, from.href))
    return undefined;
  const target = new URL(location, from);
  return target.origin === from.origin && target.username === '' && target.password === '' ? target : undefined;
}
