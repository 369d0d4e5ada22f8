import { createContext, useContext } from 'react';
import type { CallInput, CommandName, Output } from '../shared/api.ts';
import type { ErrorInfo, Reply } from '../shared/reply.ts';
import type { Screen } from './screen.ts';

/** The result of something that the user did, shown above the screen until it is closed or another screen opens. */
export type Notice =
  | NoticeOf<'done'>
  | NoticeOf<'warning'>
  /**
   * `server`: the id of the server that it is about; its page does not repeat an error that its state tells already.
   */
  | { readonly kind: 'error'; readonly title: string; readonly error: ErrorInfo; readonly server?: string };

interface NoticeOf<Kind extends string> {
  readonly kind: Kind;
  readonly title: string;
  readonly text?: string;
  /** One line each, e.g. what became of each server. */
  readonly lines?: readonly string[];
  /** The likely next action. */
  readonly act?: { readonly words: string; readonly run: () => void };
}

/** What every screen may ask of the window around it. */
export interface Shell {
  /** The time that texts on the screen refer to; Unix milliseconds. */
  readonly now: number;
  readonly go: (screen: Screen) => void;
  readonly show: (notice: Notice | undefined) => void;
  readonly run: <Name extends CommandName>(name: Name, input: CallInput<Name>) => Promise<Reply<Output<Name>>>;
  /** True while this command runs, for this server if one is named. */
  readonly running: (name: CommandName, server?: string) => boolean;
}

const nowhere: Shell = { now: 0, go: () => {}, show: () => {}, run: () => new Promise(() => {}), running: () => false };

export const ShellContext = createContext<Shell>(nowhere);
export const useShell = (): Shell => useContext(ShellContext);
