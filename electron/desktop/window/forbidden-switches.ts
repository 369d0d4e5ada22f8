// On a build for users, whoever can choose the app's switches must not get inside it, or take its protections away
// (T12): the fuses stop Node's debugger, but no fuse stops Chromium's, nor its hundreds of other switches. So those are
// named that launchers, desktops and people need, and every other one ends the app.
import { logLevels } from '../../core/base/log-events.ts';

const oneOf = (...values: readonly string[]): RegExp => new RegExp(`^(?:${values.join('|')})$`);
const none = oneOf('');
/** Names of Chromium features, with commas. Only of the display: others turn protections off. */
const features = /^(?:(?:UseOzonePlatform|WebRTCPipeWireCapturer|Wayland[A-Za-z0-9]*)(?:,|$))+$/;

/** By name, which values are accepted; the empty one is a switch without a value. */
const accepted: Readonly<Record<string, RegExp>> = {
  hidden: none,
  // Ours. Chromium's switch of this name takes numbers only.
  'log-level': oneOf(...logLevels),
  // A launcher's answer to a system without user namespaces (AppImage). The window shows no foreign page.
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
/** What the Finder of older macOS gives an app that it starts. */
const processSerialNumber = /^-psn_\d+_\d+$/;
const acceptedInNodeOptions =
  /^(?:\s*--(?:max-(?:old|semi)-space-size[= ]\d+|dns-result-order[= ](?:ipv4first|ipv6first|verbatim)|no-warnings|no-deprecation)(?:\s+|$))*$/;

/**
 * The first switch that is not in the list, without its value; undefined when there is none. What is no switch is
 * nothing to the app. Electron drops much of NODE_OPTIONS itself, and all of it where the fuse is set.
 */
export function refusedSwitch(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const found = argv.slice(1).find((arg) => looksLikeSwitch(arg) && !isAccepted(arg));
  if (found !== undefined) return found.split('=')[0];
  return acceptedInNodeOptions.test(env['NODE_OPTIONS'] ?? '') ? undefined : 'NODE_OPTIONS';
}

/** As Chromium reads it: one dash or two, and a slash on Windows. */
const looksLikeSwitch = (arg: string): boolean => arg.startsWith('-') || /^\/[a-z-]+(?:=|$)/i.test(arg);

/** As everybody writes it: two dashes, in small letters. */
function isAccepted(arg: string): boolean {
  const [, name = '', value = ''] = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
  return Object.hasOwn(accepted, name) ? (accepted[name]?.test(value) ?? false) : processSerialNumber.test(arg);
}
