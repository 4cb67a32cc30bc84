import * as z from 'zod';
import { type InputError, type ProblemCode, problems, problemType } from '../shared/contract/errors.ts';
import type { Route } from '../shared/contract/route.ts';

/** How `fm` ends. Scripts rely on these numbers. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  conflict: 5,
  unproven: 6,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An RFC 9457 problem as it is printed with `--json`; members that we do not know stay. */
export const problemDocument = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int().optional(),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  request_id: z.string().optional(),
});
export type ProblemDocument = z.infer<typeof problemDocument>;

/** The one error that the CLI throws on purpose: what went wrong, how to end, and what to do next. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly problem: ProblemDocument;
  readonly exitCode: ExitCode;
  readonly next: readonly string[];

  constructor(problem: ProblemDocument, exitCode: ExitCode, next: readonly string[] = []) {
    super(problem.title);
    this.problem = problem;
    this.exitCode = exitCode;
    this.next = next;
  }
}

/** A failure that the API has no word for, told in the same shape. */
export function localFailure(
  kind: string,
  title: string,
  detail: string,
  more: { exitCode?: ExitCode; next?: readonly string[] } = {},
): Failure {
  const problem = { type: `urn:flowmason:problem:${kind}`, title, detail };
  return new Failure(problem, more.exitCode ?? exitCodes.failed, more.next);
}

/** The command line was not understood. `detail` must not repeat an argument: it could be a value. */
export function usageFailure(detail: string, next: readonly string[] = []): Failure {
  return localFailure('usage', 'Wrong usage', detail, { exitCode: exitCodes.usage, next });
}

/** Input that breaks the API's own rules, found before it was sent. */
export function invalidInput(errors: readonly InputError[]): Failure {
  const { status, title } = problems.validation;
  const problem = { type: problemType('validation'), title, status, errors: [...errors] };
  return new Failure(problem, exitCodes.usage);
}

/** What the API refused, with the exit code and the advice that belong to it. */
export function apiFailure(problem: ProblemDocument, status: number, route: Route): Failure {
  return new Failure(problem, exitCodeOf(status), [
    ...candidates(problem),
    ...advice(problem, route),
    ...(status >= 500 && problem.request_id !== undefined ? [`Request id: ${problem.request_id}`] : []),
  ]);
}

/** The exit code that belongs to an HTTP status. */
export function exitCodeOf(status: number): ExitCode {
  switch (status) {
    case 401:
    case 403:
      return exitCodes.notAllowed;
    case 404:
      return exitCodes.notFound;
    case 409:
      return exitCodes.conflict;
    case 413:
    case 422:
      return exitCodes.usage;
    default:
      return exitCodes.failed;
  }
}

const adviceByCode: Partial<Record<ProblemCode, string>> = {
  unauthenticated: 'Check the API key: FM_API_KEY, the profile file, or admin.json of the data directory.',
  forbidden: 'Use an API key whose role, pipelines and environments cover this.',
  ambiguous_secret:
    'Say which one with --scope, --pipeline, --user and --env (--env none for no environment).',
  secret_deleted:
    'Bring it back with fm secrets restore, or remove it with fm secrets delete --recovery-days 0.',
  version_conflict: 'Look at fm secrets history, then try again with the current version.',
  run_exists: 'Choose another --run-id, or leave it out to have one made.',
  unavailable: 'Nothing was done. Try again in a moment.',
};

function advice(problem: ProblemDocument, route: Route): readonly string[] {
  if (problem.type === problemType('not_found')) return notFoundAdvice(route);
  const code = Object.keys(problems).find((each) => problemType(each as ProblemCode) === problem.type);
  const line = code === undefined ? undefined : adviceByCode[code as ProblemCode];
  return line === undefined ? [] : [line];
}

function notFoundAdvice(route: Route): readonly string[] {
  if (route.action === 'restore') return ['What can be restored: fm secrets list --deleted'];
  if (route.path.includes('/secrets')) return ['What there is: fm secrets list --wide'];
  return route.path.includes('/api-keys') ? ['What there is: fm keys list'] : [];
}

const place = z.object({
  scope: z.string(),
  pipeline_id: z.string().nullish(),
  user: z.string().nullish(),
  environment: z.string().nullish(),
});

/** The coordinates that an ambiguous name matches, each as the flags that select it. */
function candidates(problem: ProblemDocument): readonly string[] {
  if (problem.type !== problemType('ambiguous_secret')) return [];
  const listed = Object.values(problem).flatMap((member) => z.array(place).safeParse(member).data ?? []);
  return listed.map((at) =>
    [
      `  --scope ${at.scope}`,
      ...(at.pipeline_id ? [`--pipeline ${at.pipeline_id}`] : []),
      ...(at.user ? [`--user ${at.user}`] : []),
      `--env ${at.environment ?? 'none'}`,
    ].join(' '),
  );
}

const spokenPaths: Readonly<Record<string, string>> = {
  name: 'NAME',
  value: 'VALUE',
  new_value: 'VALUE',
  environment: '--env',
  environments: '--env',
  pipeline_id: '--pipeline',
  pipelines: '--pipeline',
  secret_name: '--secret',
  ttl_seconds: '--ttl',
};
const spokenAsTheyAre =
  /^(scope|user|description|metadata|rotation_days|reason|expected_version|keep_previous_for|recovery_days|prefix|due_within_days|days|from|to|action|outcome|limit|role|subject|expires_at)$/;

/** A field of the API in the words of the command line, for example `--rotation-days`. */
function spoken(path: string): string {
  const field = path.split('.')[0] ?? path;
  if (Object.hasOwn(spokenPaths, field)) return spokenPaths[field] ?? path;
  return spokenAsTheyAre.test(field) ? `--${field.replaceAll('_', '-')}` : path;
}

/** A failure for people: what, which field, and what to do next, one line each. */
export function failureLines({ problem, next }: Failure): readonly string[] {
  const errors = problem.errors ?? [];
  // The API repeats a single field error in its detail; once is enough.
  const isRepeated = errors.some(({ path, message }) => problem.detail === `${path}: ${message}`);
  const detail = problem.detail === undefined || isRepeated ? '' : ` ${problem.detail}`;
  return [
    `fm: ${sentence(problem.title)}${detail}`,
    ...errors.map(({ path, message }) => `  ${spoken(path)}: ${message}`),
    ...next,
  ];
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
