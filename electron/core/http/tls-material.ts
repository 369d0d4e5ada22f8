import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as tls from 'node:tls';
import { defined } from '../../../shared/defined.ts';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';

/** A client certificate for mutual TLS. `expiresAt`: Unix ms; absent if unknown. */
export interface ClientCertificate {
  readonly tls: Readonly<Pick<tls.SecureContextOptions, 'cert' | 'key' | 'pfx' | 'passphrase'>>;
  readonly expiresAt?: number;
}

export interface TlsMaterial {
  /** Certificate authorities (PEM), in addition to the default ones. */
  readonly ca?: readonly string[];
  readonly certificate?: ClientCertificate;
}

const certificates =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const privateKey = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\S]+?-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----/;

/** Reads the certificates of a PEM file. Throws E_BAD_INPUT, which names the file. */
export async function readAuthorities(file: string): Promise<readonly string[]> {
  const bad = badFile(file, 'settings.caFile');
  const pems = (await read(file, bad)).toString('latin1').match(certificates) ?? [];
  if (pems.length === 0) throw bad('does not contain a PEM certificate');
  for (const pem of pems) parse(pem, bad);
  return pems;
}

/**
 * Reads a client certificate from a PKCS#12 file, or from a PEM file with the certificate, its chain and the key; the
 * key may be in the secret store instead. `password` decrypts the PKCS#12 file or the key. Throws E_BAD_INPUT, which
 * names the file.
 */
export async function readClientCertificate(
  file: string,
  secrets: { readonly privateKey?: Secret; readonly password?: Secret },
): Promise<ClientCertificate> {
  const bad = badFile(file, 'settings.clientCertificateFile');
  const bytes = await read(file, bad);
  const passphrase = defined({ passphrase: secrets.password?.reveal() });
  const text = bytes.toString('latin1');
  if (!text.includes('-----BEGIN')) return checked({ pfx: bytes, ...passphrase }, bad);
  const chain = text.match(certificates);
  if (!chain?.[0]) throw bad('does not contain a certificate');
  const key = privateKey.exec(text)?.[0] ?? secrets.privateKey?.reveal();
  if (key === undefined) throw bad('does not contain a private key, and none is stored (secret privateKey)');
  return checked({ cert: chain.join('\n'), key, ...passphrase }, bad, parse(chain[0], bad));
}

/** Checks before use that certificate and key match, and that the password is right. */
function checked(material: ClientCertificate['tls'], bad: BadFile, known?: X509Certificate): ClientCertificate {
  let context: tls.SecureContext;
  try {
    context = tls.createSecureContext({ ...material });
  } catch (error) {
    // OpenSSL's messages are fixed texts, e.g. "mac verify failure", "key values mismatch".
    throw bad(`cannot be used as a client certificate (${sanitizeExternalText((error as Error).message, 80)})`);
  }
  const expiresAt = Date.parse((known ?? ownCertificate(context))?.validTo ?? '');
  return { tls: material, ...(Number.isFinite(expiresAt) ? { expiresAt } : {}) };
}

/** Node has no PKCS#12 reader, but its TLS context exposes the certificate that it loaded. */
function ownCertificate(context: tls.SecureContext): X509Certificate | undefined {
  const inner = context.context as { getCertificate?: () => Buffer | null } | undefined;
  const der = inner?.getCertificate?.();
  return der ? new X509Certificate(der) : undefined;
}

async function read(file: string, bad: BadFile): Promise<Buffer> {
  // A relative path would refer to Keybridge's working directory, not to the one of the terminal it was typed in.
  if (!path.isAbsolute(file)) throw bad('must be given with its full path');
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
    throw bad('contains a damaged certificate');
  }
}

type BadFile = (what: string) => AppError;

/** `field`: the setting that names the file. */
const badFile =
  (file: string, field: string): BadFile =>
  (what) =>
    new AppError('E_BAD_INPUT', `The file ${sanitizeExternalText(file)} ${what}.`, { sent: false, field });
