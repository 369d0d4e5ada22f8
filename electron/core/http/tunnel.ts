import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { AppError, sanitizeExternalText } from '../base/errors.ts';
import { connectFault } from './faults.ts';
import type { Proxy } from './proxy.ts';

/**
 * A connection through a proxy by CONNECT (RFC 9110 9.3.6): the proxy sees the name and the port, nothing of what is
 * said, since TLS with the server runs inside. `target`: host:port. Throws E_CONNECT and E_TLS, which name the proxy
 * without its password.
 */
export function openTunnel(
  proxy: Proxy,
  target: string,
  timeoutMs: number,
  ca: readonly string[] | undefined,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const asking = (proxy.protocol === 'https:' ? tlsRequest : plainRequest)({
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
      ...(ca ? { ca: [...ca] } : {}),
    });
    const timer = setTimeout(() => asking.destroy(unreachable(proxy, 'does not answer')), timeoutMs);
    asking.once('connect', (answer: IncomingMessage, socket: Socket) => {
      clearTimeout(timer);
      if (answer.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(refused(proxy, target, answer.statusCode ?? 0));
    });
    asking.once('error', (error) => {
      clearTimeout(timer);
      reject(error instanceof AppError ? error : connectFault(error, `The proxy ${proxy.host}`));
    });
    asking.end();
  });
}

function refused(proxy: Proxy, target: string, status: number): AppError {
  if (status === 407)
    return unreachable(
      proxy,
      proxy.authorization
        ? 'does not accept the user name and password in HTTPS_PROXY'
        : 'asks for a user name and password',
    );
  return unreachable(proxy, `does not connect to ${sanitizeExternalText(target)} (status ${status})`);
}

const unreachable = ({ host }: Proxy, why: string) =>
  new AppError('E_CONNECT', `The proxy ${sanitizeExternalText(host)} ${why}.`, { sent: false });
