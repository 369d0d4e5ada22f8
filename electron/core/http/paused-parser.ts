import type net from 'node:net';

/** The members that we use of undici's parser, which undici keeps on the socket under a symbol. */
interface Parser {
  paused: boolean;
  resume(): void;
  readonly llhttp: { llhttp_resume(parser: number): void };
  readonly ptr: number;
}

/**
 * Works around nodejs/undici issue 5360: when a connection ends or breaks while its parser is paused, an assertion in
 * undici 7 fails and ends the process. Any server that responds faster than a host reads can trigger it. Resumes the
 * parser before undici sees the end, so it must be called before undici gets the socket. Fixed in undici 8, which needs
 * a newer Node.
 */
export function resumeParserOnEnd(socket: net.Socket): void {
  const pausedParser = (): Parser | undefined => {
    const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
    const parser = symbol && (socket as unknown as Record<symbol, Parser | null>)[symbol];
    return parser?.paused === true ? parser : undefined;
  };
  socket.on('end', () => {
    pausedParser()?.resume();
    // All bytes have been read. A response that is delimited by the end of the connection pauses once more here, with
    // nothing left to wait for.
    const pausedAgain = pausedParser();
    if (!pausedAgain) return;
    pausedAgain.llhttp.llhttp_resume(pausedAgain.ptr);
    pausedAgain.paused = false;
  });
  const unpause = () => {
    const parser = pausedParser();
    if (parser) parser.paused = false;
  };
  socket.on('error', unpause);
  socket.on('close', unpause);
}
