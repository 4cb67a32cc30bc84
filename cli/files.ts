import { createReadStream } from 'node:fs';
import path from 'node:path';
import { Failure, usageFailure } from './failure.ts';
import { readBounded } from './terminal.ts';
import type { Host } from './tools.ts';

// A config has 1 MiB at most; an export of all secrets may hold thousands of long values.
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** The bytes of a file, or of standard input when it is `-`. @throws Failure wrong usage */
export async function readGivenFile({ terminal, workingDirectory }: Host, file: string): Promise<Buffer> {
  if (file === '-') return terminal.readInput(MAX_FILE_BYTES);
  try {
    return await readBounded(createReadStream(path.resolve(workingDirectory, file)), MAX_FILE_BYTES);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw usageFailure(`${file} cannot be read.`);
  }
}

/** The JSON of a file, or of standard input when it is `-`. @throws Failure wrong usage, quoting nothing */
export async function readJsonFile(host: Host, file: string): Promise<unknown> {
  return parseJson(await readGivenFile(host, file), file);
}

/** @throws Failure wrong usage; the parser's own message would quote the text */
export function parseJson(bytes: Buffer, file: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw usageFailure(`${file === '-' ? 'Standard input' : file} is not JSON.`);
  }
}
