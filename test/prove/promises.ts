/** One promise and the run that shows it. */
export interface Promised {
  readonly promise: string;
  /** `npx …`, or `npm run -s …` for a suite that installs what it needs. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** With `--hours`: more of the same. */
  readonly longEnv?: Readonly<Record<string, string>>;
  readonly longCommand?: readonly string[];
  /** What the run says of itself that belongs into the report, one line each, beside what its tests tallied. */
  readonly figures: RegExp;
  /** Whether another seed says something new: repeated with `--hours`. */
  readonly seeded?: true;
  /** Takes longer than minutes: only with `--hours`. */
  readonly long?: true;
}

/** A test that is slow on a busy machine is no broken promise. */
const PATIENCE = '--testTimeout=1800000';
const vitest = (project: string, file: string, title?: string): readonly string[] => [
  ...['npx', 'vitest', 'run', PATIENCE, '--project', project, file],
  ...(title === undefined ? [] : ['-t', title]),
];
const TESTS = /^\s+Tests\s+(.+)$/;

/** In the order of docs/THREAT_MODEL.md. */
export const promises: readonly Promised[] = [
  {
    promise: 'Every bit of every stored byte flipped, through the public API: 0 wrong values',
    command: vitest('handlers', 'test/handlers/tamper.test.ts', 'every bit of a row'),
    figures: TESTS,
  },
  {
    promise: 'Rows and versions put at each other’s place, cold and warm: 0 accepted',
    command: vitest('handlers', 'test/handlers/tamper.test.ts', 'every ordered pair'),
    figures: TESTS,
  },
  {
    promise: 'A whole older row put back: named by verifying, whichever it is',
    command: vitest('handlers', 'test/handlers/stale.test.ts'),
    figures: TESTS,
  },
  {
    promise: 'Audit records changed in any byte, removed, added, reordered, rolled back: each named',
    command: vitest('handlers', 'test/handlers/audit.test.ts'),
    figures: TESTS,
  },
  {
    promise: 'kill -9 under a mixed load: 0 acknowledged writes lost, 0 values without a record',
    command: vitest('system', 'test/system/crash.test.ts'),
    env: { FM_TEST_KILLS: '40' },
    longEnv: { FM_TEST_KILLS: '200' },
    figures: /^(?:FM_TEST_SEED=\d+|.*\bkills\b.*)$/,
    seeded: true,
  },
  {
    promise: 'Every answer leaves after the sync of its own record',
    command: ['npm', 'run', '-s', 'prove:sync'],
    figures: /^(.*(?:answers|sync).*)$/,
  },
  {
    promise: '64 writers on one secret: versions without gap or twin, as many records as successes',
    command: vitest('handlers', 'test/handlers/writes.test.ts', 'at once'),
    figures: TESTS,
  },
  {
    promise: 'Calls that fail, time out, succeed unseen or come twice: records are operations',
    command: ['npm', 'run', '-s', 'prove:audit', '--', '300', '{seed}'],
    longCommand: ['npm', 'run', '-s', 'prove:audit', '--', '10000', '{seed}'],
    figures: /^(\d+ histories from seed.*)$/i,
    seeded: true,
  },
  {
    promise: 'No record, no value: with the outbox down nothing leaves, and it serves again when healed',
    command: vitest('handlers', 'test/handlers/faults.test.ts'),
    env: { FM_TEST_READS: '2000' },
    longEnv: { FM_TEST_READS: '10000' },
    figures: TESTS,
  },
  {
    promise: 'Routes × callers × places: nobody reads or changes what is not theirs',
    command: vitest('handlers', 'test/handlers/isolation.test.ts'),
    figures: TESTS,
  },
  {
    promise: 'Canaries through every route and every mistake: found nowhere but in a resolve’s answer',
    command: vitest('system', 'test/system/canary.test.ts'),
    figures: TESTS,
  },
  {
    promise: 'Memory of a server that has resolved nothing: no value in any form',
    command: vitest('system', 'test/system/memory.test.ts'),
    figures: TESTS,
  },
  {
    promise: 'Hostile configs and clients: refused by name, and others are served',
    command: vitest('system', 'test/system/limits.test.ts'),
    figures: TESTS,
  },
  {
    promise: 'Roles: what may decrypt, seal, change the log and make keys is exactly what is named',
    command: ['npm', 'run', '-s', 'test:aws', '--', 'iam'],
    figures: /^(\d+ passed, \d+ failed)$/,
  },
  {
    promise: 'Keyring and machine gone: every secret opens, the log verifies, keys go on',
    command: vitest('system', 'test/system/backup.test.ts'),
    env: { FM_TEST_SECRETS: '2000' },
    longEnv: { FM_TEST_SECRETS: '10000' },
    figures: TESTS,
  },
  {
    promise: 'Comparing a key takes as long whatever is wrong with it',
    command: ['npx', 'node', 'test/prove/compare-timing.ts'],
    figures: /^(ours: .*)$/,
    seeded: true,
  },
  {
    promise: 'What reads hostile input meets nothing that breaks it',
    command: [
      'npm',
      'run',
      '-s',
      'fuzz',
      '--',
      '--minutes',
      '2',
      'references',
      'redactor',
      'envelope',
      'api-key',
    ],
    longCommand: ['npm', 'run', '-s', 'fuzz', '--', '--minutes', '60'],
    figures: /^((?:references|redactor|envelope|api-key|python \w+): .*|\d+ of \d+ targets held.*)$/,
    seeded: true,
  },
  {
    promise: 'Of what keeps secrets apart, nine mutants in ten and more are noticed',
    command: ['npm', 'run', '-s', 'mutate'],
    figures: /^.*(Final mutation score.*)$/,
    long: true,
  },
];
