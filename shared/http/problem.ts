import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import {
  type InputError,
  type ProblemCode,
  problems,
  problemType,
  SecretsError,
} from '../contract/errors.ts';

import { safeHeaders } from './safe-headers.ts';

/** Writes one structured line. It is given names, codes and numbers, never input. */
export type Log = (entry: Readonly<Record<string, string | number | undefined>>) => void;

const RETRY_AFTER_SECONDS = '1';

/** A problem document (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly request_id: string;
  readonly errors?: readonly InputError[];
}

/** An error as a problem document. What we did not throw on purpose becomes `internal`. */
export function problemOf(error: unknown, requestId: string): Problem {
  const { code, message: detail, errors, members } = error instanceof SecretsError ? error : internal();
  const { status, title } = problems[code];
  const problem = { ...members, type: problemType(code), title, status, detail, code, request_id: requestId };
  return errors === undefined ? problem : { ...problem, errors };
}

/** An error as an HTTP answer. */
export function problemResponse(error: unknown, requestId: string): APIGatewayProxyStructuredResultV2 {
  const problem = problemOf(error, requestId);
  return {
    statusCode: problem.status,
    headers: {
      ...safeHeaders,
      'content-type': 'application/problem+json',
      'x-request-id': requestId,
      ...(problem.code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
      ...('allow' in problem ? { allow: String(problem.allow) } : {}),
      ...(isPassing(problem.code) ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
    },
    body: JSON.stringify(problem),
  };
}

/** Whether the same request may be answered in a moment. */
function isPassing(code: ProblemCode): boolean {
  return code === 'unavailable' || code === 'rate_limited';
}

/** The code to log of an error, and for unknown ones their class: a message may quote what it failed on. */
export function logEntryOf(error: unknown): { code: ProblemCode; error?: string } {
  if (error instanceof SecretsError) return { code: error.code };
  return { code: 'internal', error: error instanceof Error ? error.name : typeof error };
}

function internal(): SecretsError {
  return new SecretsError('internal', 'The request failed here. Quote the request_id when you report it.');
}
