import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';

/**
 * Returns the certificate authorities that Node trusts by default, including NODE_EXTRA_CA_CERTS. Passing `ca` to TLS
 * replaces them, so they have to be repeated there.
 */
export function trustedRoots(env: Readonly<Record<string, string | undefined>> = process.env): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates) return getCACertificates('default');
  const extra = env['NODE_EXTRA_CA_CERTS'];
  if (extra === undefined || extra === '') return tls.rootCertificates;
  try {
    return [...tls.rootCertificates, readFileSync(extra, 'latin1')];
  } catch {
    // Node itself only warns about an unreadable file.
    return tls.rootCertificates;
  }
}
