import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../shared/access/caller.ts';
import { type Action, actionsOf, allows, allowsPlace, mayEver } from '../../../shared/access/roles.ts';
import { roleName } from '../../../shared/contract/access.ts';
import type { Coordinates } from '../../../shared/contract/coordinates.ts';
import { environmentName, pipelineId, secretName, userId } from '../../../shared/contract/ids.ts';
import { keyCaller, orchestratorCaller, runCaller } from '../../testkit/callers.ts';

// The oracle is a set of drawings: nothing in it is computed as the code under test computes it.

const READS: readonly Action[] = ['read', 'check', 'resolve'];
const WRITES: readonly Action[] = [
  'create',
  'rotate',
  'compare',
  'activate',
  'abandon',
  'prune',
  'rollback',
  'update',
  'delete',
  'restore',
];
const OTHERS: readonly Action[] = [
  'read_audit',
  'read_run',
  'start_run',
  'end_run',
  'manage_rotator',
  'manage_api_keys',
  'manage_organization',
];
const ACTIONS = [...READS, ...WRITES, ...OTHERS];

/** What each kind of caller may at all: CONTRACT's table of roles. */
const may: Readonly<Record<'admin' | 'editor' | 'viewer' | 'runtime' | 'run', readonly Action[]>> = {
  admin: [
    'read',
    'check',
    ...WRITES,
    'read_audit',
    'read_run',
    'end_run',
    'manage_rotator',
    'manage_api_keys',
    'manage_organization',
  ],
  editor: ['read', 'check', ...WRITES, 'read_audit', 'read_run'],
  viewer: ['read', 'check', 'read_audit', 'read_run'],
  runtime: ['read', 'check', 'resolve', 'read_run', 'start_run', 'end_run'],
  run: ['read', 'check', 'resolve', 'read_run', 'end_run'],
};

const org = { scope: 'org' } as const;
const pipeline = (id: string) => ({ scope: 'pipeline', pipeline_id: pipelineId.parse(id) }) as const;
const user = (id: string) => ({ scope: 'user', user: userId.parse(id) }) as const;

function at(
  scope: ReturnType<typeof pipeline> | ReturnType<typeof user> | typeof org,
  environment: string | null,
) {
  const name = secretName.parse('api-key');
  return { ...scope, name, environment: environment === null ? null : environmentName.parse(environment) };
}

const targets: readonly { readonly what: string; readonly at: Coordinates }[] = [
  { what: 'org', at: at(org, null) },
  { what: 'org in staging', at: at(org, 'staging') },
  { what: 'org in production', at: at(org, 'production') },
  { what: 'p1', at: at(pipeline('p1'), null) },
  { what: 'p1 in staging', at: at(pipeline('p1'), 'staging') },
  { what: 'p1 in production', at: at(pipeline('p1'), 'production') },
  { what: 'p2', at: at(pipeline('p2'), null) },
  { what: 'p2 in staging', at: at(pipeline('p2'), 'staging') },
  { what: 'ada', at: at(user('ada'), null) },
  { what: 'ada in staging', at: at(user('ada'), 'staging') },
  { what: 'bob in staging', at: at(user('bob'), 'staging') },
];

/**
 * What bounds leave of a role, one letter per target above: `w` is within reach and the caller's own to
 * write, `r` is within reach alone, `.` is neither.
 */
const bounds: readonly {
  readonly bound: string;
  readonly reach: string;
  readonly to: Parameters<typeof keyCaller>[1];
}[] = [
  { bound: 'nothing', reach: 'www www ww www', to: {} },
  { bound: 'staging', reach: 'rw. rw. rw rww', to: { environments: ['staging'] } },
  {
    bound: 'staging and production',
    reach: 'rww rww rw rww',
    to: { environments: ['staging', 'production'] },
  },
  { bound: 'another environment', reach: 'r.. r.. r. r..', to: { environments: ['development'] } },
  { bound: 'p1', reach: 'rrr www .. rrr', to: { pipelines: ['p1'] } },
  { bound: 'p1 and p2', reach: 'rrr www ww rrr', to: { pipelines: ['p1', 'p2'] } },
  { bound: 'another pipeline', reach: 'rrr ... .. rrr', to: { pipelines: ['p3'] } },
  { bound: 'p1 in staging', reach: 'rr. rw. .. rrr', to: { pipelines: ['p1'], environments: ['staging'] } },
];

const runs: readonly { readonly run: string; readonly reach: string; readonly caller: Caller }[] = [
  { run: 'of p1 in staging for ada', reach: 'rr. rr. .. rr.', caller: runCaller() },
  { run: 'of p1 in staging for nobody', reach: 'rr. rr. .. ...', caller: runCaller({ user: null }) },
  {
    run: 'of p1 in production for ada',
    reach: 'r.r r.r .. r..',
    caller: runCaller({ environment: 'production' }),
  },
  {
    run: 'of p2 in staging for bob',
    reach: 'rr. ... rr ..r',
    caller: runCaller({ pipeline_id: 'p2', user: 'bob' }),
  },
];

/** Every action on every target that the code allows, and that the drawing does. */
function compare(caller: Caller, allowedActions: readonly Action[], reach: string) {
  const letters = [...reach.replaceAll(' ', '')];
  expect(letters).toHaveLength(targets.length);
  const cells = targets.flatMap((target, index) =>
    [...READS, ...WRITES].map((action) => ({ action, target, letter: letters[index] })),
  );
  const drawn = cells.filter(
    ({ action, letter }) =>
      allowedActions.includes(action) && (letter === 'w' || (letter === 'r' && READS.includes(action))),
  );
  const decided = cells.filter(({ action, target }) => allows(caller, action, target.at));
  const named = ({ action, target }: (typeof cells)[number]) => `${action} ${target.what}`;
  return { decided: decided.map(named), drawn: drawn.map(named) };
}

describe('mayEver', () => {
  it.each([...roleName.options, 'run' as const])('%s: exactly what CONTRACT says', (role) => {
    expect(ACTIONS.filter((action) => mayEver(role, action)).sort()).toEqual([...may[role]].sort());
  });
});

describe('allows, on a target', () => {
  const keys = roleName.options.flatMap((role) => bounds.map((bound) => ({ role, ...bound })));
  it.each(keys)('$role bound to $bound', ({ role, reach, to }) => {
    const { decided, drawn } = compare(keyCaller(role, to), may[role], reach);
    expect(decided).toEqual(drawn);
  });

  it.each(runs)('a run $run', ({ caller, reach }) => {
    const { decided, drawn } = compare(caller, may.run, reach);
    expect(decided).toEqual(drawn);
  });

  it('the orchestrator: as a runtime key that is bound to nothing', () => {
    const { decided, drawn } = compare(orchestratorCaller(), may.runtime, 'www www ww www');
    expect(decided).toEqual(drawn);
    expect(ACTIONS.filter((action) => allows(orchestratorCaller(), action)).sort()).toEqual(
      [...may.runtime].sort(),
    );
  });

  it('a run owns no secret: what is not read it may not do to one, not even what its kind may', () => {
    const done = [...WRITES, ...OTHERS].filter((action) =>
      targets.some(({ at }) => allows(runCaller(), action, at)),
    );
    expect(done).toEqual([]);
  });
});

describe('allows, without a target', () => {
  const wholeOrganization: readonly Action[] = ['read_audit', 'manage_api_keys', 'manage_organization'];

  it.each(roleName.options.flatMap((role) => bounds.map(({ bound, to }) => ({ role, bound, to }))))(
    '$role bound to $bound',
    ({ role, bound, to }) => {
      const allowed = ACTIONS.filter((action) => allows(keyCaller(role, to), action));
      const withheld = bound === 'nothing' ? [] : wholeOrganization;
      expect(allowed.sort()).toEqual(may[role].filter((action) => !withheld.includes(action)).sort());
    },
  );

  it('a run: all that its kind may', () => {
    expect(ACTIONS.filter((action) => allows(runCaller(), action)).sort()).toEqual([...may.run].sort());
  });
});

describe('allowsPlace', () => {
  const mine = { environment: 'staging', pipeline_id: 'p1', user: 'ada', run_id: 'run-1' };

  it.each([
    { change: 'nothing', place: mine, allowed: true },
    { change: 'the environment', place: { ...mine, environment: 'production' }, allowed: false },
    { change: 'the pipeline', place: { ...mine, pipeline_id: 'p2' }, allowed: false },
    { change: 'no pipeline', place: { ...mine, pipeline_id: null }, allowed: false },
    { change: 'the user', place: { ...mine, user: 'bob' }, allowed: false },
    { change: 'no user', place: { ...mine, user: null }, allowed: false },
    { change: 'the run', place: { ...mine, run_id: 'run-2' }, allowed: false },
    { change: 'no run', place: { ...mine, run_id: null }, allowed: false },
  ])('a run token with $change of its run changed: $allowed', ({ place, allowed }) => {
    expect(allowsPlace(runCaller(), place)).toBe(allowed);
  });

  it.each([
    { to: {}, environment: 'production', pipeline_id: null, allowed: true },
    { to: { environments: ['staging'] }, environment: 'staging', pipeline_id: null, allowed: true },
    { to: { environments: ['staging'] }, environment: 'production', pipeline_id: null, allowed: false },
    { to: { pipelines: ['p1'] }, environment: 'staging', pipeline_id: 'p1', allowed: true },
    { to: { pipelines: ['p1'] }, environment: 'staging', pipeline_id: 'p2', allowed: false },
    { to: { pipelines: ['p1'] }, environment: 'staging', pipeline_id: null, allowed: false },
    {
      to: { pipelines: ['p1'], environments: ['staging'] },
      environment: 'production',
      pipeline_id: 'p1',
      allowed: false,
    },
    {
      to: { pipelines: ['p1'], environments: ['staging'] },
      environment: 'staging',
      pipeline_id: 'p2',
      allowed: false,
    },
    {
      to: { pipelines: ['p1'], environments: ['staging'] },
      environment: 'staging',
      pipeline_id: 'p1',
      allowed: true,
    },
  ])(
    'a key bound to $to in $environment for $pipeline_id: $allowed',
    ({ to, environment, pipeline_id, allowed }) => {
      const place = { environment, pipeline_id, user: 'anyone', run_id: null };
      expect(allowsPlace(keyCaller('runtime', to), place)).toBe(allowed);
    },
  );
});

describe('actionsOf', () => {
  it.each(roleName.options)('lists what a key of role %s may', (role) => {
    expect(actionsOf(keyCaller(role)).sort()).toEqual([...may[role]].sort());
  });

  it('leaves out what shows the whole organization when the key is bound', () => {
    const bound = actionsOf(keyCaller('admin', { environments: ['staging'] }));
    expect(bound).toContain('rotate');
    expect(bound).not.toContain('read_audit');
    expect(bound).not.toContain('manage_api_keys');
  });

  it('lists what a run token may', () => {
    expect(actionsOf(runCaller()).sort()).toEqual([...may.run].sort());
  });
});
