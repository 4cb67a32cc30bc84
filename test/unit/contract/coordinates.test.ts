import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Coordinates,
  coordinatesFromKey,
  coordinatesKey,
  describeCoordinates,
  selector,
  selects,
  toScope,
} from '../../../shared/contract/coordinates.ts';
import { environmentName, pipelineId, runId, secretName, userId } from '../../../shared/contract/ids.ts';
import { decodeCursor, encodeCursor } from '../../../shared/contract/page.ts';

const name = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/)
  .filter((text) => text !== 'audit')
  .map((text) => secretName.parse(text));
const owner = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@+|/=-]{0,20}$/);
const environment = fc.option(
  fc.constantFrom('development', 'staging', 'a', 'a-1').map((text) => environmentName.parse(text)),
);
const coordinates: fc.Arbitrary<Coordinates> = fc
  .tuple(name, environment, fc.constantFrom('org', 'pipeline', 'user'), owner)
  .map(([name, environment, scope, owner]) => {
    if (scope === 'org') return { name, environment, scope: 'org' };
    if (scope === 'user') return { name, environment, scope: 'user', user: userId.parse(owner) };
    return { name, environment, scope: 'pipeline', pipeline_id: pipelineId.parse(owner) };
  });

describe('keys', () => {
  test('a key leads back to its coordinates', () => {
    fc.assert(
      fc.property(coordinates, (at) => {
        expect(coordinatesFromKey(coordinatesKey(at))).toEqual(at);
      }),
    );
  });

  test('two coordinates have one key only when they are the same', () => {
    fc.assert(
      fc.property(coordinates, coordinates, (a, b) => {
        expect(coordinatesKey(a) === coordinatesKey(b)).toBe(
          JSON.stringify(describeAll(a)) === JSON.stringify(describeAll(b)),
        );
      }),
    );
  });

  test('keys sort by name', () => {
    fc.assert(
      fc.property(coordinates, coordinates, (a, b) => {
        fc.pre(a.name !== b.name);
        expect(coordinatesKey(a) < coordinatesKey(b)).toBe(a.name < b.name);
      }),
    );
  });
});

function describeAll(at: Coordinates) {
  return [at.name, describeCoordinates(at)];
}

describe('scopes', () => {
  const pipeline_id = pipelineId.parse('p');
  const user = userId.parse('u');
  test.each([
    [{ scope: 'org' as const }, { scope: 'org' }],
    [
      { scope: 'pipeline' as const, pipeline_id },
      { scope: 'pipeline', pipeline_id: 'p' },
    ],
    [
      { scope: 'user' as const, user },
      { scope: 'user', user: 'u' },
    ],
  ])('%j', (parts, scope) => {
    expect(toScope(parts)).toEqual(scope);
  });

  test.each(
    [
      [{ scope: 'org' as const, pipeline_id }, 'pipeline_id: is taken only with scope pipeline'],
      [{ scope: 'user' as const, user, pipeline_id }, 'pipeline_id: is taken only with scope pipeline'],
      [{ scope: 'org' as const, user }, 'user: is taken only with scope user'],
      [{ scope: 'pipeline' as const }, 'pipeline_id: is required with scope pipeline'],
      [{ scope: 'user' as const }, 'user: is required with scope user'],
    ].map(([parts, message]) => [parts, message] as const),
  )('%j is refused', (parts, message) => {
    expect(() => toScope(parts as Parameters<typeof toScope>[0])).toThrow(
      expect.objectContaining({
        code: 'validation',
        errors: [{ path: String(message).split(':')[0], message: String(message).split(': ')[1] }],
      }),
    );
  });
});

describe('selecting', () => {
  const at: Coordinates = {
    name: secretName.parse('n'),
    environment: environmentName.parse('staging'),
    scope: 'pipeline',
    pipeline_id: pipelineId.parse('p'),
  };
  const everywhere: Coordinates = {
    name: secretName.parse('n'),
    environment: null,
    scope: 'user',
    user: userId.parse('u'),
  };
  test.each([
    [{}, true, true],
    [{ scope: 'pipeline' }, true, false],
    [{ pipeline_id: 'p' }, true, false],
    [{ pipeline_id: 'q' }, false, false],
    [{ user: 'u' }, false, true],
    [{ user: 'v' }, false, false],
    [{ environment: 'staging' }, true, false],
    [{ environment: 'none' }, false, true],
    [{ environment: 'production' }, false, false],
    [{ scope: 'pipeline', environment: 'none' }, false, false],
  ])('%j', (by, first, second) => {
    const parsed = selector.parse(by);
    expect([selects(parsed, at), selects(parsed, everywhere)]).toEqual([first, second]);
  });
});

describe('identifiers', () => {
  test.each([
    [
      secretName,
      ['a', 'A-_9', 'a'.repeat(128)],
      ['', '1a', 'a b', 'a\n', 'a.b', 'a#b', 'kеy', 'a'.repeat(129), 'audit', 'a\0'],
    ],
    [environmentName, ['development', 'a-1'], ['', 'Prod', 'none', '1a', 'a_b', 'a\n', 'a'.repeat(33)]],
    [
      runId,
      ['run_abc123', 'a@b.c', 'auth0|1', 'arn:aws:iam::1:user/x'],
      ['', ' a', 'a b', '#a', 'a#b', '-a', 'a\n', 'é', 'a'.repeat(129)],
    ],
  ])('%#', (schema, good, bad) => {
    for (const text of good) expect(schema.safeParse(text).success, text).toBe(true);
    for (const text of bad) expect(schema.safeParse(text).success, JSON.stringify(text)).toBe(false);
  });
});

describe('cursors', () => {
  test('lead back to their position, and no others are taken', () => {
    expect(decodeCursor(encodeCursor('12'), /^\d+$/)).toBe('12');
    for (const cursor of [encodeCursor('x'), 'AAAA', '!!', '']) {
      expect(() => decodeCursor(cursor, /^\d+$/)).toThrow(expect.objectContaining({ code: 'validation' }));
    }
  });
});
