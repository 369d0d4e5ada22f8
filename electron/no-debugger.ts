// Every program of Keybridge loads this file first.
/**
 * On SIGUSR1 Node opens its inspector on a port, over which any user of the computer can take control of the process. A
 * handler prevents that. It does not keep the process alive.
 */
if (process.platform !== 'win32') process.on('SIGUSR1', () => {});
