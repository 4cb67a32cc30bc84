import { describe, expect, test } from 'vitest';
import { isQuiet, type Stage, stageAt } from '../../../shared/reminders/stage.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const DUE = Date.parse('2027-06-15T12:00:00.000Z');
const at = (days: number, ms = 0) => new Date(DUE + days * DAY_MS + ms);
/** The stage of a version that was to last so many days, some days from its date. */
const stage = (days: number, ms = 0, term = 90) =>
  stageAt({ since: at(-term).toISOString(), due_at: at(0).toISOString() }, at(days, ms));
const written = (found: Stage | null) => (found === null ? '-' : `${found.kind} ${found.days}`);

describe('the stage of a secret', () => {
  test.each([
    ['15 days ahead', -15, '-'],
    ['a moment more than 14 days ahead', -14.00001, '-'],
    ['14 days ahead', -14, 'upcoming 14'],
    ['8 days ahead', -8, 'upcoming 14'],
    ['7 days ahead', -7, 'upcoming 7'],
    ['2 days ahead', -2, 'upcoming 7'],
    ['a day ahead', -1, 'upcoming 1'],
    ['an hour ahead', -1 / 24, 'upcoming 1'],
    ['when it is due', 0, 'due 0'],
    ['late by an hour', 1 / 24, 'due 0'],
    ['late by a day', 1, 'overdue 1'],
    ['late by 3 days and a half', 3.5, 'overdue 3'],
    ['late by a week', 7, 'overdue 7'],
    ['late by 8 days', 8, 'overdue 7'],
    ['late by 13 days', 13.99, 'overdue 7'],
    ['late by 2 weeks', 14, 'overdue 14'],
    ['late by 4 weeks', 28, 'overdue 28'],
    ['late by nearly 5 weeks', 34.99, 'overdue 28'],
    ['late by 5 weeks', 35, 'escalated 35'],
    ['late by 6 weeks', 42, 'escalated 42'],
    ['late by a year', 365, 'escalated 364'],
  ])('%s', (_when, days, expected) => expect(written(stage(days))).toBe(expected));

  test('begins at its moment and not a millisecond before', () => {
    expect(written(stage(-7, -1))).toBe('upcoming 14');
    expect(written(stage(0, -1))).toBe('upcoming 1');
    expect(written(stage(1, -1))).toBe('due 0');
    expect(written(stage(35, -1))).toBe('overdue 28');
  });

  test.each([
    [1, -0.5, '-'],
    [2, -1.5, '-'],
    [2, -0.5, 'upcoming 1'],
    [7, -6.9, '-'],
    [7, -1, 'upcoming 1'],
    [10, -9, '-'],
    [10, -7, 'upcoming 7'],
    [14, -13, '-'],
    [15, -14, 'upcoming 14'],
  ])(
    'of a version that lasts %i days is not one that it was born in, %f days ahead: %s',
    (term, days, expected) => {
      expect(written(stage(days, 0, term))).toBe(expected);
    },
  );

  test('of what was marked due has no days ahead', () => {
    const since = at(-3).toISOString();
    expect(written(stageAt({ since, due_at: at(0).toISOString() }, at(0)))).toBe('due 0');
    expect(written(stageAt({ since: at(5).toISOString(), due_at: at(0).toISOString() }, at(6)))).toBe(
      'overdue 6',
    );
  });

  test('follows one after the other, each once, and never goes back', () => {
    const seen: string[] = [];
    for (let hours = -20 * 24; hours <= 60 * 24; hours += 1) {
      const now = written(stage(hours / 24));
      if (seen.at(-1) !== now) seen.push(now);
    }
    const daily = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28].map((days) => `overdue ${days}`);
    const weekly = [35, 42, 49, 56].map((days) => `escalated ${days}`);
    expect(seen).toEqual(['-', 'upcoming 14', 'upcoming 7', 'upcoming 1', 'due 0', ...daily, ...weekly]);
  });
});

test.each([
  { kind: 'ack', until: 1, stage: 'overdue', quiet: true },
  { kind: 'ack', until: 1, stage: 'escalated', quiet: true },
  { kind: 'snooze', until: 1, stage: 'upcoming', quiet: true },
  { kind: 'snooze', until: 1, stage: 'escalated', quiet: false },
  { kind: 'ack', until: 0, stage: 'overdue', quiet: false },
  { kind: 'snooze', until: -1, stage: 'due', quiet: false },
] as const)(
  'an answer covers a stage, or not: $kind until $until, $stage',
  ({ kind, until, stage: of, quiet }) => {
    const answer = {
      kind,
      until: at(until).toISOString(),
      reason: null,
      by: 'ada',
      at: at(-9).toISOString(),
    };
    expect(isQuiet(answer, { kind: of, days: 0 }, at(0))).toBe(quiet);
    expect(isQuiet(null, { kind: of, days: 0 }, at(0))).toBe(false);
  },
);
