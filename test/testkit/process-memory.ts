import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Longer than any form of a text that is looked for, so that none is cut in two. */
const OVERLAP = 4096;
const CHUNK = 16 * 1024 * 1024;

/**
 * What a process has in its memory that it may write to: heaps, stacks, buffers. In chunks that overlap. Needs
 * Linux, and the right to trace the process.
 */
export function* memoryOf(pid: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === undefined || to === undefined) continue;
      yield* chunksOf(memory, BigInt(`0x${from}`), BigInt(`0x${to}`));
    }
  } finally {
    closeSync(memory);
  }
}

function* chunksOf(memory: number, from: bigint, to: bigint): Generator<Buffer> {
  for (let at = from; at < to; at += BigInt(CHUNK - OVERLAP)) {
    const wanted = Number(to - at) < CHUNK ? Number(to - at) : CHUNK;
    const chunk = Buffer.allocUnsafe(wanted);
    try {
      const read = readSync(memory, chunk, 0, wanted, at);
      yield chunk.subarray(0, read);
    } catch {
      // A region that went meanwhile, or that nobody may read, such as the kernel's own.
    }
    if (wanted < CHUNK) return;
  }
}
