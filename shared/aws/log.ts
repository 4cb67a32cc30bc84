import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from '../http/problem.ts';

/** What is ours to keep: API keys and run tokens, whole or cut. Nothing logs them; this is for the day when something does. */
const CREDENTIALS = /\bfm[a-z]_[A-Za-z0-9_.-]{6,}/g;
/** Codes, names and ids are shorter. Something longer is something that was not meant to be here. */
const LONGEST = 256;

const logger = new Logger({ jsonReplacerFn: redacted });

/** A line for CloudWatch, by Powertools: JSON with level, time, function, and X-Ray's trace where there is one. */
export function writeLine({ level, ...entry }: Parameters<Log>[0]): void {
  const message = String(entry['code'] ?? entry['dependency'] ?? entry['function'] ?? 'log');
  if (level === 'error') logger.error(message, entry);
  else if (level === 'warn') logger.warn(message, entry);
  else logger.info(message, entry);
}

function redacted(_key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.length > LONGEST ? '***' : value.replace(CREDENTIALS, '***');
}
