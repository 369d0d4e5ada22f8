/** The pages that the browser shows at the end of a sign-in. `{server}` is the name that the user gave the server. */
export const resultPageMessages = {
  'page.signedIn': 'Signed in to {server}',
  'page.close': 'You can close this page and go back to Keybridge, or to the terminal where you started.',
  'page.finishing': 'Finishing the sign-in to {server}',
  'page.finishingDetail': 'Keybridge will tell you once you are signed in.',
  'page.again': 'One more step',
  'page.againDetail': `
    {server} no longer recognized Keybridge, so Keybridge registered again. Continue on the page that opens now.`,
  'page.denied': 'You did not sign in',
  'page.deniedDetail': 'Keybridge has no access to {server}.',
  'page.failed': 'Could not sign in to {server}',
  'page.used': 'This response was already used',
  'page.usedDetail': 'A sign-in response works only once. If you are not signed in, start again in Keybridge.',
  'page.expired': 'This sign-in has ended',
  'page.expiredDetail': 'It was cancelled, or it took too long. Start again in Keybridge.',
  'page.unrelated': 'This response is for another sign-in',
  'page.unrelatedDetail':
    'It may come from an old page. To finish your sign-in, use the page that Keybridge opened last.',
  'page.noResponse': 'The sign-in response did not arrive',
  'page.noResponseDetail': `
    The authorization server sent it in a way that Keybridge cannot read, for example after a # in the address.
    Report this to the operator of {server}.`,
  'page.wrongMethodDetail': `
    The authorization server sent it as a form, which Keybridge does not accept. Report this to the operator of
    {server}.`,
  'page.prefetch': 'The sign-in is waiting',
  'page.prefetchDetail': 'Open this page to finish it.',
  'page.notFound': 'Page not found',
  'page.notFoundDetail': 'Keybridge uses this address only to finish a sign-in.',
  'page.wrongHostDetail': 'This address belongs to a program on this computer.',
} as const;
