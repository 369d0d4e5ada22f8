import type { ServerStatus } from '../shared/model.ts';
import type { Reply } from '../shared/reply.ts';
import { nameWithAccount } from '../shared/server-state.ts';
import { after } from './api.ts';
import { removedNotice, signedOutNotice } from './sign-out-notices.ts';
import { useShell, type Shell } from './shell.ts';
import { t } from './text.ts';
import type { EndpointHost } from '../shared/sign-in-state.ts';

/**
 * What a user can do about one server. Each ends in a notice where the server's own state does not tell the result.
 */
export interface ServerActions {
  readonly signIn: () => void;
  /** Asks the server whether it wants a sign-in. */
  readonly check: () => void;
  /** Opens no browser: the user opens the link elsewhere. */
  readonly signInByLink: () => void;
  /** Declines for now: the waiting calls get an error. */
  readonly dismissAccess: () => void;
  readonly cancelSignIn: () => void;
  /** Confirms that the sign-in may lead to these hosts. */
  readonly confirmSignIn: (hosts: readonly EndpointHost[]) => void;
  /** Restarts the sign-in after an error page. */
  readonly startAgain: () => void;
  readonly finishSignIn: (redirectUrl: string) => Promise<Reply<ServerStatus>>;
  readonly refreshNow: () => void;
  readonly signOut: () => void;
  readonly remove: () => void;
  readonly unlock: () => void;
}

type NamedServer = Pick<ServerStatus, 'id' | 'name' | 'account'>;
/** "Cancel" replaces "Sign in", so the second click of a double click must not cancel. */
const doubleClickMs = 600;

export function useServerActions(server: ServerStatus): ServerActions {
  const { id, state } = server;
  const name = nameWithAccount(server);
  const shell = useShell();
  const { run, show, go } = shell;

  const fail = (title: string, reply: Reply): void => {
    if (!reply.ok) show({ kind: 'error', title, error: reply.error, server: id });
  };

  return {
    signIn: () => startSignIn(shell, server),
    signInByLink: () => startSignIn(shell, server, { openBrowser: false }),
    check() {
      show(undefined);
      after(run('checkServer', { server: id }), (reply) => fail(t('failed.check', { name }), reply));
    },
    dismissAccess() {
      show(undefined);
      after(run('dismissAccess', { server: id }), (reply) => fail(t('failed.dismiss', { name }), reply));
    },
    cancelSignIn() {
      const age = state.kind === 'signing_in' ? Date.now() - state.startedAt : doubleClickMs;
      // Negative after the system's time was set back.
      if (age >= 0 && age < doubleClickMs) return;
      after(run('cancelSignIn', { server: id }), (reply) => fail(t('failed.cancel', { name }), reply));
    },
    confirmSignIn(hosts) {
      after(run('confirmSignIn', { server: id, hosts: [...hosts] }), (reply) =>
        fail(t('confirm.failed', { server: name }), reply),
      );
    },
    startAgain() {
      after(run('cancelSignIn', { server: id }), (reply) =>
        reply.ok ? startSignIn(shell, server) : fail(t('failed.cancel', { name }), reply),
      );
    },
    finishSignIn: (redirectUrl) => run('finishSignIn', { server: id, redirectUrl }),
    refreshNow() {
      show(undefined);
      after(run('refreshNow', { server: id }), (reply) => fail(t('failed.refresh', { name }), reply));
    },
    signOut() {
      show(undefined);
      after(run('signOut', { server: id }), (reply) => {
        if (reply.ok) show(signedOutNotice(name, reply.value));
        else fail(t('failed.signOut', { name }), reply);
      });
    },
    remove() {
      show(undefined);
      after(run('removeServer', { server: id }), (reply) => {
        if (!reply.ok) return fail(t('failed.remove', { name: server.name }), reply);
        go({ at: 'servers' });
        show(removedNotice(server.name, reply.value));
      });
    },
    unlock: () => unlockStore(shell),
  };
}

interface SignInOptions {
  /** False: the user opens the link elsewhere. */
  readonly openBrowser?: boolean;
  readonly onCancelled?: () => void;
}

/** Shows an error if the sign-in fails. Cancelling is not an error. */
export function startSignIn(
  { run, show }: Shell,
  server: NamedServer,
  { openBrowser = true, onCancelled }: SignInOptions = {},
): void {
  show(undefined);
  after(run('signIn', { server: server.id, openBrowser, canAsk: true }), (reply) => {
    if (!reply.ok && reply.error.code === 'E_CANCELLED') return onCancelled?.();
    if (reply.ok) return;
    show({
      kind: 'error',
      title: t('failed.signIn', { name: nameWithAccount(server) }),
      error: reply.error,
      server: server.id,
    });
  });
}

/** Accepts a server entry that another program added or changed. */
export function acceptServer({ run, show }: Shell, server: string, name: string): void {
  show(undefined);
  after(run('acceptServer', { server }), (reply) => {
    if (!reply.ok) show({ kind: 'error', title: t('failed.accept', { name }), error: reply.error });
  });
}

/** Asks the system to unlock the store; may wait for the system's own prompt. */
export function unlockStore({ run, show }: Shell): void {
  show(undefined);
  after(run('unlockStore', undefined), (reply) => {
    if (!reply.ok) show({ kind: 'error', title: t('failed.unlock'), error: reply.error });
    else if (reply.value.state !== 'ready') show({ kind: 'warning', title: t('trouble.stillBlocked') });
  });
}
