import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';

/**
 * The certificate authorities that this process trusts by itself: a list of one's own replaces them,
 * NODE_EXTRA_CA_CERTS too, so they have to be repeated in it.
 */
export function trustedRoots(env: Readonly<Record<string, string | undefined>> = process.env): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates) return getCACertificates('default');
  const extra = env['NODE_EXTRA_CA_CERTS'];
  if (extra === undefined || extra === '') return tls.rootCertificates;
  try {
    return [...tls.rootCertificates, readFileSync(extra, 'latin1')];
  } catch {
    // Node itself only warns about a file that it cannot read.
    return tls.rootCertificates;
  }
}
