import { commands, type Api, type CommandName } from '../../../shared/api.ts';
import type { Reply } from '../../../shared/reply.ts';
import { AppError, asAppError, sanitizeExternalText, whereThrown } from '../base/errors.ts';
import { silentLog, type Log } from '../base/log.ts';

/**
 * The one door of the core: a command by name with input from outside (window, socket), answered by a Reply.
 * Never throws. The output is parsed too, so that nothing leaves that the table does not name.
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

/** Names the member that is wrong, never its value. */
function badInput(command: string, issues: readonly { path: PropertyKey[]; code: string }[]): AppError {
  const at = sanitizeExternalText(issues[0]?.path.map(String).join('.') ?? '', 150) || 'the input';
  return new AppError('E_BAD_INPUT', `${command}: ${at} is not valid.`, { field: at });
}
