import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as tls from 'node:tls';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';

/** What proves who we are in mutual TLS. `expiresAt`: Unix ms; absent where it cannot be told. */
export interface ClientCertificate {
  readonly tls: Readonly<Pick<tls.SecureContextOptions, 'cert' | 'key' | 'pfx' | 'passphrase'>>;
  readonly expiresAt?: number;
}

export interface TlsMaterial {
  /** Certificate authorities (PEM), next to the ones that are trusted anyway. */
  readonly ca?: readonly string[];
  readonly certificate?: ClientCertificate;
}

const certificates =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const privateKey = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----/;

/** The certificates of a PEM file. Throws E_BAD_INPUT, which names the file. */
export async function readAuthorities(file: string): Promise<readonly string[]> {
  const bad = badFile(file, 'settings.caFile');
  const found = (await read(file, bad)).toString('latin1').match(certificates) ?? [];
  if (found.length === 0) throw bad('holds no certificate in PEM form');
  for (const pem of found) parse(pem, bad);
  return found;
}

/**
 * A client certificate: PEM with the certificate (and its chain) and the key, which may also lie in the store of
 * secrets, or PKCS#12. `password` opens the PKCS#12 file or an encrypted key. Throws E_BAD_INPUT, which names the file.
 */
export async function readClientCertificate(
  file: string,
  secrets: { readonly privateKey?: Secret; readonly password?: Secret },
): Promise<ClientCertificate> {
  const bad = badFile(file, 'settings.clientCertificateFile');
  const bytes = await read(file, bad);
  const passphrase = secrets.password ? { passphrase: secrets.password.reveal() } : {};
  const text = bytes.toString('latin1');
  if (!text.includes('-----BEGIN')) return checked({ pfx: bytes, ...passphrase }, bad);
  const chain = text.match(certificates);
  if (!chain?.[0]) throw bad('holds no certificate');
  const key = privateKey.exec(text)?.[0] ?? secrets.privateKey?.reveal();
  if (key === undefined) throw bad('holds no private key, and none is stored (secret privateKey)');
  return checked({ cert: chain.join('\n'), key, ...passphrase }, bad, parse(chain[0], bad));
}

/** Tried before use: certificate and key belong together, the password opens the file. */
function checked(material: ClientCertificate['tls'], bad: BadFile, known?: X509Certificate): ClientCertificate {
  let context: tls.SecureContext;
  try {
    context = tls.createSecureContext({ ...material });
  } catch (error) {
    // OpenSSL's reasons are words of its own, e.g. "mac verify failure", "key values mismatch".
    throw bad(`cannot be used as a client certificate (${sanitizeExternalText((error as Error).message, 80)})`);
  }
  const expiresAt = Date.parse((known ?? ownCertificate(context))?.validTo ?? '');
  return { tls: material, ...(Number.isFinite(expiresAt) ? { expiresAt } : {}) };
}

/** Node has no reader for PKCS#12, but its TLS context knows the certificate that it took from there. */
function ownCertificate(context: tls.SecureContext): X509Certificate | undefined {
  const inner = context.context as { getCertificate?: () => Buffer | null } | undefined;
  const der = inner?.getCertificate?.();
  return der ? new X509Certificate(der) : undefined;
}

async function read(file: string, bad: BadFile): Promise<Buffer> {
  // Keybridge runs in another folder than the terminal in which the name was typed.
  if (!path.isAbsolute(file)) throw bad('must be named with its full path');
  try {
    return await readFile(file);
  } catch (error) {
    throw bad(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function parse(pem: string, bad: BadFile): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw bad('holds a damaged certificate');
  }
}

type BadFile = (what: string) => AppError;

/** `field`: the setting that names the file. */
const badFile =
  (file: string, field: string): BadFile =>
  (what) =>
    new AppError('E_BAD_INPUT', `The file ${sanitizeExternalText(file)} ${what}.`, { sent: false, field });
