/** The two IPC channels between the window and the core. No packages: the preload script loads this. */
export const callChannel = 'keybridge:call';
export const statusChannel = 'keybridge:status';
