import { commands, type Api, type CommandName } from '../../../shared/api.ts';
import type { Reply } from '../../../shared/reply.ts';
import { AppError, asAppError, sanitizeExternalText, whereThrown } from '../base/errors.ts';
import { silentLog, type Log } from '../base/log.ts';

/**
 * Runs a command by name with untrusted input from the window or the socket, and returns a Reply. Never throws. The
 * output is parsed too, so that only members of the command table leave the core.
 */
export async function dispatch(api: Api, name: unknown, input: unknown, log: Log = silentLog): Promise<Reply> {
  try {
    const command = commandNamed(name);
    const { input: inputSchema, output: outputSchema } = commands[command];
    const parsed = inputSchema.safeParse(input);
    if (!parsed.success) throw badInput(command, parsed.error.issues);
    const run = api[command] as (value: unknown) => Promise<unknown>;
    return { ok: true, value: outputSchema.parse(await run(parsed.data)) };
  } catch (error) {
    if (!(error instanceof AppError))
      log('unexpected', { command: typeof name === 'string' ? name : '', ...whereThrown(error) });
    return { ok: false, error: asAppError(error).toInfo() };
  }
}

function commandNamed(name: unknown): CommandName {
  if (typeof name === 'string' && Object.hasOwn(commands, name)) return name as CommandName;
  throw new AppError('E_UNKNOWN_COMMAND', 'There is no such command.');
}

/** Names the invalid member but not its value, which may be a secret. */
function badInput(command: string, issues: readonly { path: PropertyKey[]; code: string }[]): AppError {
  const at = sanitizeExternalText(issues[0]?.path.map(String).join('.') ?? '', 150) || 'the input';
  return new AppError('E_BAD_INPUT', `${command}: ${at} is not valid.`, { field: at });
}
