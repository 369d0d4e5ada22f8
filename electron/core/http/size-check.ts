import type { AppError } from '../base/errors.ts';
import { tooLarge, tooManyPieces } from './faults.ts';

/**
 * Bytes that each chunk costs. Chunks larger than this make up for smaller ones, so that a long-lived stream with
 * little traffic can go on.
 */
const chunkCost = 64;
/** A response that arrives in too many small pieces exceeds this, and is aborted. */
const maxDebt = 16 * 1024 * 1024;

/** Counts a chunk of `length` bytes. Returns E_TOO_LARGE once the response exceeds its limits. */
export type SizeCheck = (length: number) => AppError | undefined;

export function createSizeCheck(host: string, maxBytes: number): SizeCheck {
  let received = 0;
  let debt = 0;
  return (length) => {
    received += length;
    debt = Math.max(0, debt + chunkCost - length);
    if (received + debt > maxBytes) return tooLarge(host, maxBytes);
    return debt > maxDebt ? tooManyPieces(host) : undefined;
  };
}
