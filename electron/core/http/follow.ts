import type { Http, HttpResponse, HttpRequest } from './http.ts';

/**
 * Fetches, following one redirect on the same origin that keeps method and body (307, 308; RFC 9110 15.4.8): servers
 * redirect a path without its trailing slash like this, before they process the request. Any other redirect is returned
 * to the caller. Throws what `http.fetch` throws.
 */
export async function fetchFollowingRedirect(http: Pick<Http, 'fetch'>, request: HttpRequest): Promise<HttpResponse> {
  const response = await http.fetch(request);
  const target = redirectTarget(response, request.url);
  return target ? http.fetch({ ...request, url: target }) : response;
}

/** Returns the target of a 307 or 308 on the same origin, or undefined. */
function redirectTarget({ status, headers }: Pick<HttpResponse, 'status' | 'headers'>, from: URL): URL | undefined {
  const location = headers['location'];
  if ((status !== 307 && status !== 308) || location === undefined || !URL.canParse(location, from.href))
    return undefined;
  const target = new URL(location, from);
  return target.origin === from.origin && target.username === '' && target.password === '' ? target : undefined;
}
