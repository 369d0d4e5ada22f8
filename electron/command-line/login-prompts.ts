import { createInterface } from 'node:readline';
import { isLoopbackHost } from '../../shared/loopback.ts';
import type { Status } from '../../shared/model.ts';
import { hostTexts } from '../../shared/sign-in-hosts.ts';
import { callBroker } from '../broker/control-client.ts';
import { asAppError, sanitizeExternalText } from '../core/base/errors.ts';
import { systemClock } from '../core/base/system-clock.ts';
import { openSystemBrowser } from '../platform/system-browser.ts';
import { describeError, type Terminal } from '../platform/terminal.ts';
import { createPastedLines } from './pasted-lines.ts';
import { t } from './text.ts';
import type { EndpointHost, SignInState } from '../../shared/sign-in-state.ts';

export interface LoginPromptsOptions {
  /** Id of the entry in the status. */
  readonly server: string;
  readonly dataDir: string;
  readonly terminal: Terminal;
  /** Whether this terminal may open the browser when the running Keybridge cannot. */
  readonly openBrowser: boolean;
  /** Aborted when the sign-in has ended. */
  readonly signal: AbortSignal;
}

type SigningIn = Extract<SignInState, { kind: 'signing_in' }>;

/**
 * Returns a listener of the status that shows what a running sign-in needs from a user, each thing once: hosts to
 * confirm, the address or device code to open, where to paste the address of the browser's last page.
 */
export function createLoginPrompts(options: LoginPromptsOptions): (status: Status) => void {
  const { server, terminal } = options;
  const shown = new Set<string>();
  const once = (key: string, show: () => void) => {
    if (shown.has(key)) return;
    shown.add(key);
    show();
  };
  let confirming = false;
  let pasting = false;
  const openByHand = (url: string) => {
    terminal.tell(`${t('cli.login.open')}\n\n  ${url}\n\n${t('cli.login.paste')}`);
    if (!pasting) readPastedAddress(url, options);
    pasting = true;
  };

  return ({ servers }) => {
    const state = servers.find(({ id }) => id === server)?.state;
    if (state?.kind !== 'signing_in') return;
    const { step, confirm, url, userCode } = state;
    // A sign-in may lead to another host later, such as the page of a device code. That is asked separately.
    if (step === 'confirm' && confirm) {
      once(`confirm ${JSON.stringify(confirm)}`, () => askAboutHosts(confirm, options));
      confirming = true;
    }
    // The question about the hosts names these too.
    const hosts = confirming ? '' : sanitizeExternalText((state.otherHosts ?? []).join(', '), 500);
    if (hosts !== '') once(`hosts ${hosts}`, () => terminal.tell(t('cli.login.otherHosts', { hosts })));
    if (step === 'browser' && userCode === undefined) once('page error', () => explainErrorPage(options));
    if (userCode !== undefined && url !== undefined) {
      once(`code ${userCode}`, () => terminal.tell(deviceCodeText(url, userCode)));
      return;
    }
    const address = addressToOpen(state, options);
    if (address === undefined) return;
    once(`address ${address}`, () => {
      if (!options.openBrowser || !isAllowedInBrowser(address)) openByHand(address);
      else openSystemBrowser(new URL(address)).catch(() => openByHand(address));
    });
  };
}

/** The address that the running Keybridge has not opened: it was told not to, or it has no browser. */
const addressToOpen = ({ browserFailed, url }: SigningIn, { openBrowser }: LoginPromptsOptions): string | undefined =>
  !openBrowser || browserFailed ? url : undefined;

function isAllowedInBrowser(address: string): boolean {
  const url = new URL(address);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url));
}

/** Nothing is pasted back after a device code, and the page may be opened on another device. */
function deviceCodeText(url: string, userCode: string): string {
  const address = sanitizeExternalText(url, 2_000);
  const code = t('cli.login.code', { code: sanitizeExternalText(userCode) });
  return `${t('cli.login.openAnywhere')}\n\n  ${address}\n\n${code}`;
}

/**
 * Asks whether the hosts belong together. Everything but "y" or "yes" cancels the sign-in. Without a terminal the
 * question can still be answered in the window.
 */
function askAboutHosts(
  hosts: readonly EndpointHost[],
  { server, dataDir, terminal, signal }: LoginPromptsOptions,
): void {
  const rows = hostTexts(hosts).map((text) => `  ${sanitizeExternalText(text, 400)}`);
  terminal.tell([t('cli.login.hosts'), ...rows, t('cli.login.hostsWarning')].join('\n'));
  if (!terminal.interactive) return;
  terminal.tell(t('cli.login.hostsQuestion'));
  const lines = createInterface({ input: terminal.stdin });
  signal.addEventListener('abort', () => lines.close(), { once: true });
  lines.once('line', (line) => {
    lines.close();
    const call = /^\s*y(es)?\s*$/i.test(line)
      ? callBroker(dataDir, 'confirmSignIn', { server, hosts: [...hosts] })
      : callBroker(dataDir, 'cancelSignIn', { server });
    call.catch((error: unknown) => terminal.tell(describeError(asAppError(error).toInfo())));
  });
}

/** Until the sign-in ends, reads redirect URLs that the user pastes into stdin, and finishes it with one. */
function readPastedAddress(url: string, { server, dataDir, terminal, signal }: LoginPromptsOptions): void {
  const lines = createInterface({ input: terminal.stdin });
  signal.addEventListener('abort', () => lines.close(), { once: true });
  const take = createPastedLines({
    state: new URL(url).searchParams.get('state') ?? undefined,
    interactive: terminal.interactive,
    clock: systemClock(),
    tell: (text) => terminal.tell(text),
    use: (redirectUrl) => {
      callBroker(dataDir, 'finishSignIn', { server, redirectUrl }).catch((error: unknown) =>
        terminal.tell(describeError(asAppError(error).toInfo())),
      );
    },
  });
  lines.on('line', take);
}

/** Says what to do about an error page of the provider, of which Keybridge learns nothing. */
function explainErrorPage({ server, dataDir, terminal }: LoginPromptsOptions): void {
  const explain = async () => {
    const { registration, redirectUri, status } = await callBroker(dataDir, 'serverDetail', { server });
    const stop = t('cli.login.pageError');
    if (registration !== 'configured' || redirectUri === undefined)
      return terminal.tell(`${stop} ${t('cli.login.again')}`);
    const redirect = `${t('cli.login.redirect')}\n\n  ${sanitizeExternalText(redirectUri, 500)}\n`;
    terminal.tell(`${stop} ${redirect}\n${t('cli.login.clientId', { server: status.name })}`);
  };
  explain().catch(() => {});
}
