import { describe, expect, it } from 'vitest';
import { subjectOf } from '../../../shared/access/caller.ts';
import { replayCaller, replayFor } from '../../../shared/access/replay.ts';
import { keyCaller, runCaller } from '../../testkit/callers.ts';

describe('subjectOf', () => {
  it.each([
    { caller: keyCaller('editor'), subject: 'editor@example.com' },
    { caller: runCaller(), subject: 'ada' },
    { caller: runCaller({ user: null }), subject: 'run-1' },
  ])('names $subject', ({ caller, subject }) => {
    expect(subjectOf(caller)).toBe(subject);
  });
});

describe('what is kept of an answer', () => {
  const idempotency = { key: 'once', fingerprint: 'of the request' };

  it('is nothing without an Idempotency-Key', () => {
    expect(replayFor(keyCaller('editor'), new Date(0), 201, '{}')).toBeNull();
  });

  it('is the answer, for a day', () => {
    expect(replayFor({ ...keyCaller('editor'), idempotency }, new Date(0), 201, '{}')).toEqual({
      caller: 'acme/key/Key0000000000001',
      ...idempotency,
      status: 201,
      answer: '{}',
      expires_at: '1970-01-02T00:00:00.000Z',
    });
  });

  it('is kept apart by credential: a run and the key that started it do not meet', () => {
    const callers = [keyCaller('editor'), runCaller(), { ...runCaller(), org: keyCaller('admin').org }];
    expect(new Set(callers.map(replayCaller)).size).toBe(2);
    expect(replayCaller(runCaller())).toBe('acme/run/run-1');
  });
});
