/** The words for the question where a sign-in leads. */
export const confirmMessages = {
  title: 'This sign-in leads to hosts of different owners',
  row: (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}`,
  why: 'The page that you will see may be honest while the sign-in is handed to somebody else, who could then use it in your name. Go on only if you know that all of these belong together. Your answer holds for this server and exactly these hosts.',
  yes: 'These belong together, go on',
  failed: (server: string) => `The hosts of ${server} were not confirmed`,
} as const;
