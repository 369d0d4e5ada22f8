// Loaded first by every program of ours.
/**
 * Node opens its inspector on SIGUSR1, on a port that every user of the computer can connect to and take the process
 * over. A handler of one's own, which does nothing, takes the signal's place. It does not keep the process alive.
 */
if (process.platform !== 'win32') process.on('SIGUSR1', () => {});
