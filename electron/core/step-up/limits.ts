/** The most scopes that one server can ask for at once. */
export const maxScopes = 100;

/** The most calls that are remembered as asking for more access to one account. */
export const maxAccessRequests = 20;
