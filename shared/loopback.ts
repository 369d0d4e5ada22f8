/**
 * Whether a URL's host is this computer: `localhost`, 127.0.0.0/8 or ::1. Plain http is accepted only there
 * (MCP authorization, Communication Security; RFC 8252 section 7.3). `url`: a parsed URL, whose host name is therefore
 * lower case and whose IPv4 address has four decimal parts.
 */
export function isLoopbackHost(url: { readonly hostname: string }): boolean {
  return (
    url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(url.hostname)
  );
}
