import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type ProblemCode, problems, problemType, SecretsError } from '../contract/errors.ts';

import { safeHeaders } from './safe-headers.ts';

/** Writes one structured line. It is given names, codes and numbers, never input. */
export type Log = (entry: Readonly<Record<string, string | number | undefined>>) => void;

const RETRY_AFTER_SECONDS = '1';

/** An error as `application/problem+json` (RFC 9457). What we did not throw on purpose becomes `internal`. */
export function problemResponse(error: unknown, requestId: string): APIGatewayProxyStructuredResultV2 {
  const known = error instanceof SecretsError ? error : internal();
  const { status, title } = problems[known.code];
  const { code, message: detail, errors, members } = known;
  const problem = { ...members, type: problemType(code), title, status, detail, code, request_id: requestId };
  return {
    statusCode: status,
    headers: {
      ...safeHeaders,
      'content-type': 'application/problem+json',
      'x-request-id': requestId,
      ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
      ...(code === 'unavailable' ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
    },
    body: JSON.stringify(errors === undefined ? problem : { ...problem, errors }),
  };
}

/** The code to log of an error, and for unknown ones their class: a message may quote what it failed on. */
export function logEntryOf(error: unknown): { code: ProblemCode; error?: string } {
  if (error instanceof SecretsError) return { code: error.code };
  return { code: 'internal', error: error instanceof Error ? error.name : typeof error };
}

function internal(): SecretsError {
  return new SecretsError('internal', 'The request failed here. Quote the request_id when you report it.');
}
