import { createInterface, type Interface } from 'node:readline';
import type { EndpointHost, ServerStatus, Status } from '../../shared/model.ts';
import { hostTexts } from '../../shared/sign-in-hosts.ts';
import { callBroker, watchStatus } from '../broker/control-client.ts';
import { systemClock } from '../core/base/system-clock.ts';
import { asAppError, sanitizeExternalText } from '../core/base/errors.ts';
import { isLoopbackHost } from '../../shared/loopback.ts';
import { hasBrowser, openSystemBrowser } from '../platform/system-browser.ts';
import { createPastedLines } from './pasted-lines.ts';
import { failureWords, type Terminal } from '../platform/terminal.ts';

export interface LoginOptions {
  /** Id of the entry in the status. */
  readonly server: string;
  /** False: only print the address. */
  readonly browser: boolean;
  readonly dataDir: string;
  readonly terminal: Terminal;
}

/**
 * Signs in and waits for the end. The running Keybridge opens the browser; where it cannot, this terminal does, and
 * where that cannot either, it prints the address and takes the address of the browser's last page from stdin. Ctrl-C
 * cancels.
 */
export async function logIn({ server, browser, dataDir, terminal }: LoginOptions): Promise<ServerStatus> {
  const openBrowser = browser && hasBrowser({ env: terminal.env, platform: process.platform });
  const shown = new Set<string>();
  let pasting: Interface | undefined;
  /** One sign-in may lead to a further host only later, as with the page of a device code: each question is its own. */
  const asked = new Set<string>();

  const byHand = (url: string) => {
    terminal.tell(
      `Open this address in a browser:\n\n  ${url}\n\nIf the last page cannot be reached there, paste its address here and press Enter.`,
    );
    pasting ??= readPasted(server, url, dataDir, terminal);
  };
  const ended = new AbortController();
  const watching = watchStatus(
    dataDir,
    (status) => {
      const question = hostsToConfirm(status, server);
      if (question && !asked.has(JSON.stringify(question))) {
        asked.add(JSON.stringify(question));
        askAboutHosts(question, server, dataDir, terminal, ended.signal);
      }
      // Who has just confirmed the hosts need not be told of them once more.
      const hosts = asked.size > 0 ? '' : otherHosts(status, server);
      if (hosts !== '' && !shown.has(hosts)) {
        shown.add(hosts);
        terminal.tell(`The sign-in also passes through ${hosts}. Go on only if you expect that.`);
      }
      if (inBrowser(status, server) && !shown.has(pageErrorKey)) {
        shown.add(pageErrorKey);
        tellOfPageErrors(server, dataDir, terminal);
      }
      const code = codeToEnter(status, server);
      if (code && !shown.has(code.userCode)) {
        shown.add(code.userCode);
        terminal.tell(`Open this address on any device:\n\n  ${code.url}\n\nand enter the code  ${code.userCode}`);
      }
      if (code) shown.add(code.url);
      const url = addressToOpen(status, server, openBrowser);
      if (url === undefined || shown.has(url)) return;
      shown.add(url);
      if (!openBrowser || !mayOpen(url)) byHand(url);
      else openSystemBrowser(new URL(url)).catch(() => byHand(url));
    },
    { signal: ended.signal },
  );
  // Whatever ends the watch, the sign-in itself tells it better.
  watching.catch(() => {});
  const endInterrupt = terminal.onInterrupt(() => {
    callBroker(dataDir, 'cancelSignIn', { server }).catch(() => {});
  });
  try {
    return await callBroker(dataDir, 'signIn', { server, openBrowser, canAsk: terminal.interactive });
  } finally {
    endInterrupt();
    ended.abort();
    pasting?.close();
  }
}

/** Who sees the sign-in besides the authorization server's own host. */
function otherHosts({ servers }: Status, server: string): string {
  const state = servers.find(({ id }) => id === server)?.state;
  return state?.kind === 'signing_in' ? sanitizeExternalText((state.otherHosts ?? []).join(', '), 500) : '';
}

function hostsToConfirm({ servers }: Status, server: string): readonly EndpointHost[] | undefined {
  const state = servers.find(({ id }) => id === server)?.state;
  return state?.kind === 'signing_in' && state.step === 'confirm' ? state.confirm : undefined;
}

/**
 * Only y goes on; any other answer cancels the sign-in. Without a terminal the question can still be answered in the
 * window.
 */
function askAboutHosts(
  hosts: readonly EndpointHost[],
  server: string,
  dataDir: string,
  terminal: Terminal,
  signal: AbortSignal,
): void {
  const rows = hostTexts(hosts).map((words) => `  ${sanitizeExternalText(words, 400)}`);
  terminal.tell(
    [
      'This sign-in leads to hosts of different owners:',
      ...rows,
      'Go on only if you know that all of these belong together.',
    ].join('\n'),
  );
  if (!terminal.interactive) return;
  terminal.tell('Do they belong together? [y/N]');
  const lines = createInterface({ input: terminal.stdin });
  signal.addEventListener('abort', () => lines.close(), { once: true });
  lines.once('line', (line) => {
    lines.close();
    const yes = /^\s*y(es)?\s*$/i.test(line);
    const answer = yes
      ? callBroker(dataDir, 'confirmSignIn', { server, hosts: [...hosts] })
      : callBroker(dataDir, 'cancelSignIn', { server });
    answer.catch((error: unknown) => terminal.tell(failureWords(asAppError(error).toInfo())));
  });
}

/** The page that nobody has opened: because we asked for that, or because the running Keybridge has no browser. */
function addressToOpen({ servers }: Status, server: string, openBrowser: boolean): string | undefined {
  const state = servers.find(({ id }) => id === server)?.state;
  if (state?.kind !== 'signing_in') return undefined;
  return !openBrowser || state.browserFailed ? state.url : undefined;
}

/** Sign-in by device code: nothing is pasted back, and the person may be at another device. */
function codeToEnter(
  { servers }: Status,
  server: string,
): { readonly url: string; readonly userCode: string } | undefined {
  const state = servers.find(({ id }) => id === server)?.state;
  return state?.kind === 'signing_in' && state.userCode !== undefined && state.url !== undefined
    ? { url: sanitizeExternalText(state.url, 2_000), userCode: sanitizeExternalText(state.userCode) }
    : undefined;
}

function mayOpen(address: string): boolean {
  const url = new URL(address);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url));
}

function readPasted(server: string, url: string, dataDir: string, terminal: Terminal): Interface {
  const lines = createInterface({ input: terminal.stdin });
  const take = createPastedLines({
    state: new URL(url).searchParams.get('state') ?? undefined,
    interactive: terminal.interactive,
    clock: systemClock(),
    tell: (text) => terminal.tell(text),
    use: (redirectUrl) => {
      callBroker(dataDir, 'finishSignIn', { server, redirectUrl }).catch((error: unknown) =>
        terminal.tell(failureWords(asAppError(error).toInfo())),
      );
    },
  });
  lines.on('line', take);
  return lines;
}

/** The sign-in waits for a page in the browser that sends the answer back by itself. */
function inBrowser({ servers }: Status, server: string): boolean {
  const state = servers.find(({ id }) => id === server)?.state;
  return state?.kind === 'signing_in' && state.step === 'browser' && state.userCode === undefined;
}

const pageErrorKey = 'page error';

/**
 * The way back from an error page of the provider, which sends nothing to Keybridge (as in the window: page-error.tsx).
 */
function tellOfPageErrors(server: string, dataDir: string, terminal: Terminal): void {
  const told = async () => {
    const { registration, redirectUri, status } = await callBroker(dataDir, 'serverDetail', { server });
    const stop = 'If the page shows an error, Keybridge does not hear of it: press Ctrl-C.';
    if (registration !== 'configured' || redirectUri === undefined)
      return terminal.tell(`${stop} Then sign in again: Keybridge registers again if it has to.`);
    terminal.tell(
      `${stop} Usually the redirect address registered at the provider is not exactly\n\n  ${sanitizeExternalText(redirectUri, 500)}\n\nor the client ID is not the provider's: keybridge configure ${status.name} --client-id ID`,
    );
  };
  told().catch(() => {});
}
