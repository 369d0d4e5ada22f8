import { connect, snippet } from './apps.ts';
import type { Command } from './command.ts';
import { configure, key } from './configure.ts';
import { login } from './login.ts';
import { serve } from './serve.ts';
import { accept, add, check, remove } from './servers.ts';
import { dismiss, logout, refresh, unlock } from './sign-ins.ts';
import { status } from './status.ts';

/** Every command, in the order of `keybridge --help`. */
export const commands = {
  serve,
  add,
  check,
  login,
  status,
  accept,
  refresh,
  dismiss,
  unlock,
  snippet,
  configure,
  key,
  logout,
  remove,
  connect,
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof commands;

export const isCommand = (word: string): word is CommandName => Object.hasOwn(commands, word);
