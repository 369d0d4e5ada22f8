/**
 * Whether a URL's host means this computer: `localhost`, 127.0.0.0/8, ::1. Only there is plain http accepted
 * (MCP authorization, Communication Security; RFC 8252 7.3).
 */
export function isLoopbackHost(url: URL): boolean {
  return (
    url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(url.hostname)
  );
}
