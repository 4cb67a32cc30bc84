import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Caller } from '../../shared/access/caller.ts';
import { createApiKey } from '../../shared/callers/create-api-key.ts';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { updateOrganization } from '../../shared/callers/update-organization.ts';
import { SecretsError } from '../../shared/contract/errors.ts';
import { type OrganizationId, organizationId, secretName, userId } from '../../shared/contract/ids.ts';
import { type EmbeddedServices, openServices } from '../../shared/embedded/services.ts';
import { type Message, NotDelivered } from '../../shared/reminders/notifier.ts';
import type { ReminderStore } from '../../shared/reminders/reminder-store.ts';
import { createSecret } from '../../shared/secrets/create-secret.ts';
import { ackSecret } from '../../shared/secrets/quiet-secret.ts';
import { rotateSecret } from '../../shared/secrets/rotate-secret.ts';
import { keyCaller } from '../testkit/callers.ts';
import { Random, testSeed } from '../testkit/random.ts';
import { remindAt } from '../testkit/reminders.ts';

// A year of three organizations at a clock of its own: people rotate early, late or not at all, the store and the
// mail fail in two checks of three, checks run side by side, and processes end behind a mail that was taken.

// A tenth of the secrets meets the same days, periods, faults and crashes; FM_TEST_YEAR_SECRETS=2000 is the whole.
const SECRETS = Number(process.env['FM_TEST_YEAR_SECRETS'] ?? 200);
const DAYS = 365;
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const STEP_HOURS = 8;
const START = Date.parse('2027-01-01T00:00:00Z');
// Few short ones: each makes many versions.
const PERIODS = [7, 10, 30, 60, 60, 90, 90, 90, 120, 180, 180, 365] as const;
const DAYS_AFTER_DUE = [-20, -9, -3, -0.5, 0.3, 1.5, 3, 6, 9, 16, 30, 50] as const;

/** What the test knows of a secret, kept beside the system and never asked of it. */
interface Known {
  readonly org: OrganizationId;
  readonly name: string;
  readonly owner: string;
  readonly policyOnly: boolean;
  readonly days: number;
  version: number;
  since: number;
  rotateAt: number;
  quietUntil: number;
}

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fm-year-'));
const seed = testSeed();
const random = new Random(seed);
let services: EmbeddedServices;
let time = START;
const now = () => new Date(time);

beforeAll(() => {
  services = { ...openServices({ FM_DATA_DIR: folder }), now, log: () => undefined };
});
afterAll(() => {
  services.dataKeys.clear();
  services.database.close();
  rmSync(folder, { recursive: true, force: true });
});

const orgs = ['acme', 'globex', 'initech'].map((id) => organizationId.parse(id));
const POLICY_DAYS = 45;
const callerOf = (org: OrganizationId, subject: string, role = 'admin'): Caller => ({
  ...keyCaller(role),
  org,
  subject,
});

/** The stage that a secret is in, as the page draws it: the last boundary that was passed. Null for none. */
function drawnStage({ since, days }: Known, at: number): string | null {
  const due = since + days * DAY_MS;
  const late = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28, ...Array.from({ length: 60 }, (_, week) => 35 + 7 * week)];
  const boundaries = [-14, -7, -1, 0, ...late];
  const passed = boundaries.filter((day) => due + day * DAY_MS <= at).at(-1);
  if (passed === undefined || (passed < 0 && due + passed * DAY_MS <= since)) return null;
  return String(passed);
}

/** What a mail says of a secret in a stage. */
function drawnState({ since, days }: Known, at: number): RegExp {
  const left = Math.ceil((since + days * DAY_MS - at) / DAY_MS);
  if (left > 0) return new RegExp(`^due in ${left} days?$`);
  return left === 0 ? /^due today$/ : new RegExp(`^overdue by ${-left} days?$`);
}

async function populate(): Promise<Known[]> {
  const owners = new Map<OrganizationId, string[]>();
  for (const org of orgs) {
    await createOrganization(services, org, () => undefined);
    const admin = callerOf(org, 'root');
    await createApiKey(services, admin, {
      name: 'boss',
      role: 'admin',
      subject: userId.parse(`boss@${org}.example`),
    });
    const names = Array.from({ length: 13 }, (_, index) => `owner${index}@${org}.example`);
    for (const name of names)
      await createApiKey(services, admin, { name, role: 'editor', subject: userId.parse(name) });
    owners.set(org, names);
    const rotation_policies = [{ metadata: { provider: 'openai' }, rotation_days: POLICY_DAYS }];
    await updateOrganization(services, admin, { rotation_policies });
  }
  const all: Known[] = [];
  for (let index = 0; index < SECRETS; index += 1) {
    const org = random.pick(orgs);
    const owner = random.pick(owners.get(org) ?? []);
    const [own, byPolicy] = [random.pick(PERIODS), random.next() < 0.3];
    const policyOnly = byPolicy && random.next() < 0.5;
    const days = policyOnly ? POLICY_DAYS : byPolicy ? Math.min(own, POLICY_DAYS) : own;
    // Spread over the day, and born over two months.
    time = START + random.below(60 * 24 * 60) * 60_000;
    const known = {
      org,
      name: `secret_${index}`,
      owner,
      policyOnly,
      days,
      version: 1,
      since: time,
      rotateAt: 0,
      quietUntil: 0,
    };
    await createSecret(services, callerOf(org, owner, 'editor'), {
      name: secretName.parse(known.name),
      value: `value ${index}`,
      encoding: 'utf8',
      scope: 'org',
      ...(policyOnly ? {} : { rotation_days: own }),
      metadata: byPolicy ? { provider: 'openai' } : {},
    });
    plan(known);
    all.push(known);
  }
  return all;
}

/** When its owner will rotate it: before it is due, after, or long after. */
function plan(known: Known): void {
  const planned = known.since + (known.days + random.pick(DAYS_AFTER_DUE)) * DAY_MS;
  known.rotateAt = Math.max(planned, known.since + DAY_MS);
  known.quietUntil = 0;
}

async function people(all: readonly Known[]): Promise<number> {
  let rotations = 0;
  for (const known of all) {
    if (known.since > time) continue;
    const caller = callerOf(known.org, known.owner, 'editor');
    const name = secretName.parse(known.name);
    if (known.rotateAt <= time) {
      await rotateSecret(services, caller, {
        name,
        new_value: `v ${known.version + 1} ${known.name}`,
        encoding: 'utf8',
      });
      Object.assign(known, { version: known.version + 1, since: time });
      plan(known);
      rotations += 1;
    } else if (random.next() < 0.0005) {
      const until = new Date(time + (1 + random.below(20)) * DAY_MS);
      await ackSecret(services, caller, { name, reason: 'later', until: until.toISOString() });
      known.quietUntil = until.getTime();
    }
  }
  return rotations;
}

/** A store that fails: before it did something, or after it did. */
function failing(store: ReminderStore, chance: () => boolean): ReminderStore {
  return new Proxy(store, {
    get:
      (target, method: keyof ReminderStore) =>
      async (...args: never[]) => {
        const unavailable = new SecretsError('unavailable', 'a fault of the test');
        if (chance()) throw unavailable;
        const answer = await (target[method] as (...given: never[]) => Promise<unknown>).apply(target, args);
        if (chance()) throw unavailable;
        return answer;
      },
  });
}

test('every due secret is announced at each stage exactly once, and none after it was rotated', async () => {
  process.stderr.write(`a year of reminders: FM_TEST_SEED=${seed}\n`);
  const all = await populate();
  const byName = new Map(all.map((known) => [`${known.org} ${known.name}`, known]));
  /** Which messages announced a stage of a version. Two of them are twice; one that came twice is one. */
  const announcedBy = new Map<string, Set<string>>();
  const expected = new Set<string>();
  const surprises: string[] = [];
  const counts = { mails: 0, again: 0, refused: 0, rotations: 0, checks: 0 };
  const messages = new Set<string>();

  const receive = (address: string, { id, text }: Message) => {
    counts[messages.has(id) ? 'again' : 'mails'] += 1;
    messages.add(id);
    const org = /secrets of (\S+) are/.exec(text)?.[1] ?? '';
    for (const [, name, state = ''] of text.matchAll(/^Secret: (.*)\nState: (.*)$/gm)) {
      const known = byName.get(`${org} ${name}`);
      const stage = known === undefined ? null : drawnStage(known, time);
      if (known === undefined || stage === null || !drawnState(known, time).test(state)) {
        surprises.push(`${name}: said "${state}" at ${now().toISOString()}, drawn ${stage}`);
        continue;
      }
      const to = Number(stage) >= 35 ? `boss@${org}.example` : known.owner;
      if (address !== to) surprises.push(`${name}: told ${address} and not ${to}`);
      if (known.quietUntil > time) surprises.push(`${name}: told though acknowledged`);
      const key = `${org} ${name} v${known.version} ${stage}`;
      announcedBy.set(key, (announcedBy.get(key) ?? new Set()).add(id));
    }
  };

  for (let step = 1; step <= (DAYS * 24) / STEP_HOURS; step += 1) {
    time = START + step * STEP_HOURS * HOUR_MS;
    counts.rotations += await people(all);
    const isClean = step % 3 === 0;
    const chance = (likelihood: number) => () => !isClean && random.next() < likelihood;
    const sendMail = async (address: string, message: Message) => {
      if (chance(0.15)()) {
        counts.refused += 1;
        throw new NotDelivered('a fault of the test', false);
      }
      receive(address, message);
      if (chance(0.05)()) throw new NotDelivered('the answer was lost', false);
    };
    const notifier = { sendMail, publish: async () => undefined, publishes: 'what nobody gets' as const };
    const reminders = failing(services.reminders, chance(0.04));
    const check = () => {
      counts.checks += 1;
      return remindAt(services, now, { notifier, reminders }).catch(() => null);
    };
    await Promise.all(random.next() < 0.2 ? [check(), check()] : [check()]);
    if (!isClean) continue;
    for (const known of all) {
      const stage = known.since > time || known.quietUntil > time ? null : drawnStage(known, time);
      if (stage !== null) expected.add(`${known.org} ${known.name} v${known.version} ${stage}`);
    }
  }

  const twice = [...announcedBy].filter(([, ids]) => ids.size > 1).map(([key]) => key);
  const missed = [...expected].filter((key) => !announcedBy.has(key));
  process.stderr.write(
    `${counts.checks} checks, ${counts.rotations} rotations, ${announcedBy.size} announcements in ${counts.mails} digests; ` +
      `${counts.refused} mails refused at first, ${counts.again} came again with their Message-ID\n`,
  );
  expect({ surprises: surprises.slice(0, 5), twice: twice.slice(0, 5), missed: missed.slice(0, 5) }).toEqual({
    surprises: [],
    twice: [],
    missed: [],
  });
  expect(expected.size).toBeGreaterThan(SECRETS * 10);
  expect(counts.again).toBeGreaterThan(0);
}, 900_000);
