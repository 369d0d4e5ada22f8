import { AppError } from '../core/base/errors.ts';
import { isRepeatable } from '../../shared/mcp-methods.ts';
import type { Envelope } from '../../shared/json-rpc.ts';
import type { ServerResponse } from './model.ts';
import { isVersion } from './request-headers.ts';
import { serverErrorText } from './server-error-text.ts';

/** The error for a status without a JSON-RPC error. `envelope`: the request's. */
export function statusError(
  { status, sent }: ServerResponse,
  body: Buffer,
  { method, stateless, protocolVersion }: Envelope,
  server: string,
): AppError {
  const text = `The server answered with status ${status}`;
  if (status === 401 || status === 403)
    return new AppError('E_SERVER_REFUSED', `${text} to a call with a valid sign-in.${serverErrorText(body, sent)}`, {
      server,
    });
  if (status === 429)
    return new AppError('E_RATE_LIMITED', `${text}: too many calls, without saying how long to wait.`, { server });
  if (mayHaveRun(status) && !isRepeatable(method ?? ''))
    return new AppError('E_OUTCOME_UNKNOWN', `${text}.`, { server });
  if (status >= 500) return new AppError('E_SERVER_UNREACHABLE', `${text}.`, { server });
  if (stateless && [400, 404, 405, 406, 415].includes(status)) {
    const version = isVersion(protocolVersion) ? protocolVersion : 'without sessions';
    return new AppError('E_PROTOCOL_ERA', `${text} to a message of MCP ${version}.`, { server });
  }
  return new AppError('E_HTTP_STATUS', `${text}.`, { server });
}

/** False for statuses that reject a request before it runs. 404 and 409 may be about what a tool was looking for. */
const mayHaveRun = (status: number): boolean => status >= 500 || [404, 408, 409, 410, 424, 499].includes(status);
