/** Something that this machine lacks; the message says what. */
export class Missing extends Error {}
