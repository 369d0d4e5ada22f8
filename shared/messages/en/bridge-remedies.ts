/** The remedies of the errors that the bridge gives by itself: the bridge loads these and no other texts. */
export const bridgeRemedies = {
  E_CONNECTION_LOST: 'Try again. The connection was lost before the response was complete.',
  E_TOO_LARGE: 'Ask the operator of the server why its response is so large.',
  E_BROKER_DOWN: 'Start Keybridge, or run `keybridge serve`.',
  E_HANDSHAKE: 'Restart Keybridge, then restart the app that uses it.',
  E_VERSION: 'Restart the app that uses Keybridge. It still runs an older bridge.',
  E_SOCKET_UNSAFE: 'Make sure that only you can access the folder that the message names (mode 700).',
  E_OUTCOME_UNKNOWN: 'Check on the server whether the call took effect before you call again.',
  E_MESSAGE_TOO_LARGE: 'Send less in one message (16 MB at most).',
} as const;
