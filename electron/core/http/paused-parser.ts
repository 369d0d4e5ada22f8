import type net from 'node:net';

/** What we touch of undici's parser, which it keeps on the socket under a symbol. */
interface Parser {
  paused: boolean;
  resume(): void;
  readonly llhttp: { llhttp_resume(parser: number): void };
  readonly ptr: number;
}

/**
 * undici 7 ends the whole process by a failed assertion when a connection ends or breaks while its parser is paused,
 * which any server can bring about that answers faster than a host reads (nodejs/undici issue 5360; mended in 8, which
 * needs a newer Node). So the parser goes on before undici hears of the end. To be called before undici has the socket.
 */
export function resumeParserOnEnd(socket: net.Socket): void {
  const parserOf = (): Parser | undefined => {
    const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
    const parser = symbol && (socket as unknown as Record<symbol, Parser | null>)[symbol];
    return parser?.paused === true ? parser : undefined;
  };
  // Every byte has been read. An answer that only the end of the connection ends pauses once more, and then waits for
  // nothing but that.
  socket.on('end', () => {
    parserOf()?.resume();
    const still = parserOf();
    if (!still) return;
    still.llhttp.llhttp_resume(still.ptr);
    still.paused = false;
  });
  const giveUp = () => {
    const parser = parserOf();
    if (parser) parser.paused = false;
  };
  socket.on('error', giveUp);
  socket.on('close', giveUp);
}
