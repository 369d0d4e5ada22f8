/** The remedies of the errors that the bridge gives by itself: the bridge loads these and no other texts. */
export const bridgeRemedies = {
  E_CONNECTION_LOST: 'Try again: the connection broke before the answer was complete.',
  E_TOO_LARGE: 'The answer is larger than any honest one. Ask the operator of the server.',
  E_BROKER_DOWN: 'Start Keybridge, or run `keybridge serve`.',
  E_HANDSHAKE: 'Restart Keybridge, then restart the app that uses it.',
  E_VERSION: 'Restart the app that uses Keybridge: it still runs an older bridge.',
  E_SOCKET_UNSAFE: 'Make the folder that the message names belong to you alone (mode 700).',
  E_OUTCOME_UNKNOWN: 'Check at the server whether the call took effect before calling again.',
  E_MESSAGE_TOO_LARGE: 'Send less in one message (16 MB at most).',
} as const;
