import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { defined } from '../../../shared/defined.ts';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { connectFault } from './faults.ts';
import type { Proxy } from './proxy.ts';

/**
 * Opens a connection through a proxy with CONNECT (RFC 9110 9.3.6). TLS with the server runs inside it, so the proxy
 * sees host and port only. `target`: host:port. Throws E_CONNECT and E_TLS, which name the proxy without its password.
 */
export function openTunnel(
  proxy: Proxy,
  target: string,
  timeoutMs: number,
  ca: readonly string[] | undefined,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connect = (proxy.protocol === 'https:' ? tlsRequest : plainRequest)({
      host: proxy.hostname,
      port: proxy.port,
      method: 'CONNECT',
      path: target,
      headers: {
        host: target,
        ...(proxy.authorization ? { 'proxy-authorization': proxy.authorization.reveal() } : {}),
      },
      agent: false,
      rejectUnauthorized: true,
      ...defined({ ca: ca && [...ca] }),
    });
    const timer = setTimeout(() => connect.destroy(proxyFault(proxy, 'does not respond')), timeoutMs);
    connect.once('connect', ({ statusCode = 0 }: IncomingMessage, socket: Socket) => {
      clearTimeout(timer);
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(refused(proxy, target, statusCode));
    });
    connect.once('error', (error) => {
      clearTimeout(timer);
      reject(error instanceof AppError ? error : connectFault(error, `The proxy ${proxy.host}`));
    });
    connect.end();
  });
}

function refused(proxy: Proxy, target: string, status: number): AppError {
  if (status === 407)
    return proxyFault(
      proxy,
      proxy.authorization
        ? 'does not accept the user name and password in HTTPS_PROXY'
        : 'requires a user name and password',
    );
  return proxyFault(proxy, `does not connect to ${sanitizeExternalText(target)} (status ${status})`);
}

const proxyFault = ({ host }: Proxy, why: string) =>
  new AppError('E_CONNECT', `The proxy ${sanitizeExternalText(host)} ${why}.`, { sent: false });
