// On a build for users, whoever can choose the app's switches must not get inside it (T12): the fuses stop Node's
// debugger, but no fuse stops Chromium's.
const refusedSwitches = /^(--?|\/)(remote-debugging-(port|pipe|address|socket-name)|remote-allow-origins|inspect(-.*)?|js-flags|load-extension|disable-extensions-except|renderer-cmd-prefix|gpu-launcher|utility-cmd-prefix|disable-web-security|host-rules|host-resolver-rules|ignore-certificate-errors.*|log-net-log|ssl-key-log-file|single-process|allow-file-access.*)(=|$)/;
const refusedInNodeOptions = /--(inspect|require|import|loader|experimental-loader)|(^|\s)-r(\s|$)/;

/**
 * The first switch that would let somebody into the process or out of its protections, without its value; undefined when
 * there is none. Electron drops much of NODE_OPTIONS itself, and all of it where the fuse is set.
 */
export function refusedSwitch(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): string | undefined {
  const found = argv.slice(1).find((arg) => refusedSwitches.test(arg.toLowerCase()));
  if (found !== undefined) return found.split('=')[0];
  return refusedInNodeOptions.test(env['NODE_OPTIONS'] ?? '') ? 'NODE_OPTIONS' : undefined;
}
