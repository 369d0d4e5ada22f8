// A program that chooses the app's switches must not be able to debug a release build or turn its protections off
// (T12). The fuses disable Node's debugger, but no fuse disables Chromium's debugger or its hundreds of other switches.
// So this is the list of the switches that launchers, desktops and users need; with any other one the app does not
// start.
import { logLevels } from '../../core/base/log-events.ts';

const oneOf = (...values: readonly string[]): RegExp => new RegExp(`^(?:${values.join('|')})$`);
const none = oneOf('');
/** Names of Chromium features, separated by commas. Only those of the display: others turn protections off. */
const features = /^(?:(?:UseOzonePlatform|WebRTCPipeWireCapturer|Wayland[A-Za-z0-9]*)(?:,|$))+$/;

/** The accepted values of each switch. The empty string stands for a switch without a value. */
const accepted: Readonly<Record<string, RegExp>> = {
  hidden: none,
  // Keybridge's own. Chromium's switch of this name takes only numbers.
  'log-level': oneOf(...logLevels),
  // AppImage launchers pass this on systems without user namespaces. The window shows only the app's own pages.
  'no-sandbox': none,
  'disable-dev-shm-usage': none,
  'disable-gpu': none,
  'disable-gpu-compositing': none,
  'disable-software-rasterizer': none,
  'ozone-platform': oneOf('x11', 'wayland', 'headless'),
  'ozone-platform-hint': oneOf('auto', 'x11', 'wayland'),
  'enable-features': features,
  'disable-features': features,
  'enable-wayland-ime': oneOf('', 'true', 'false'),
  'wayland-text-input-version': /^\d$/,
  'gtk-version': oneOf('3', '4'),
  class: /^[\w.-]+$/,
  lang: /^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*$/,
  'force-device-scale-factor': /^\d+(?:\.\d+)?$/,
  'high-dpi-support': oneOf('0', '1'),
  'force-color-profile': /^[a-z0-9-]+$/,
  'force-dark-mode': none,
  'force-renderer-accessibility': /^[a-z-]*$/,
};
/** The Finder of older macOS versions passes this to an app. */
const processSerialNumber = /^-psn_\d+_\d+$/;
const nodeOptions = [
  'max-(?:old|semi)-space-size[= ]\\d+',
  'dns-result-order[= ](?:ipv4first|ipv6first|verbatim)',
  'no-warnings',
  'no-deprecation',
];
const acceptedInNodeOptions = new RegExp(`^(?:\\s*--(?:${nodeOptions.join('|')})(?:\\s+|$))*$`);

/**
 * Returns the first argument that is a switch outside the list, without its value, or `NODE_OPTIONS` if that holds an
 * option that is not accepted. Returns undefined if all are accepted. Arguments that are no switches have no effect.
 */
export function refusedSwitch(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const refused = argv.slice(1).find((arg) => isSwitch(arg) && !isAccepted(arg));
  if (refused !== undefined) return refused.split('=')[0];
  return acceptedInNodeOptions.test(env['NODE_OPTIONS'] ?? '') ? undefined : 'NODE_OPTIONS';
}

/** Chromium accepts one dash or two, and a slash on Windows. */
const isSwitch = (arg: string): boolean => arg.startsWith('-') || /^\/[a-z-]+(?:=|$)/i.test(arg);

/** Only with two dashes and in lower case, as switches are usually written. */
function isAccepted(arg: string): boolean {
  const [, name = '', value = ''] = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
  return Object.hasOwn(accepted, name) ? (accepted[name]?.test(value) ?? false) : processSerialNumber.test(arg);
}
