/** The tray's menu and tooltip, the window's menu, and the dialogs of the desktop app. */
export const desktopMessages = {
  'tray.tooltip': 'Keybridge: {summary}',
  'tray.open': 'Open Keybridge',
  'tray.quit': 'Quit Keybridge',
  'tray.show': 'Show in window',
  'tray.unlock': 'Unlock keychain',
  'tray.keychainDenied': 'Keychain access denied',
  'tray.keychainUnavailable': 'Keychain unavailable',
  'tray.memoryOnly': 'Sign-ins end when Keybridge quits',
  'tray.more': 'Show {count} more in window',
  'tray.entry': '{name}: {state}',
  'tray.entryAttention': '⚠ {name}: {state}',

  'menu.file': 'File',
  'menu.view': 'View',

  'dialog.title': 'Keybridge',
  'dialog.keepRunning': 'Keep running',
  'dialog.quit': 'Quit Keybridge',
  'dialog.hidden': 'Keybridge keeps running',
  'dialog.hiddenDetail': `{system, select,
    darwin {Its icon in the menu bar opens this window again, and its menu quits Keybridge.
      Apps can still use your servers.}
    win32 {Its icon in the notification area opens this window again, and its menu quits Keybridge.
      Apps can still use your servers.}
    other {Its icon in the tray opens this window again, and its menu quits Keybridge.
      Apps can still use your servers.}}`,
  'dialog.noTray': 'Keep Keybridge running?',
  'dialog.noTrayDetail': `
    No tray on this desktop shows Keybridge’s icon. If Keybridge keeps running, its window is minimized and apps can
    use your servers. If you quit, an app that needs a server starts Keybridge again.`,
  'dialog.takeOver': 'Keybridge is already running without a window',
  'dialog.takeOverDetail': `
    “keybridge serve” is running and manages the sign-ins in {dataDir}. Only one Keybridge can do that at a time.
    If you take over, it quits. Connected apps stay connected.`,
  'dialog.takeOverConfirm': 'Take over',
  'dialog.takeOverCancel': 'Quit',
  'dialog.ended': 'Keybridge has quit',
  'dialog.cannotStart': 'Keybridge cannot start',
} as const;
