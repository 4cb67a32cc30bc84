import { expect, test } from 'vitest';
import { RateLimit } from '../../../infra/local/rate-limit.ts';
import { codeOf } from '../../testkit/failure.ts';

const taken = 'nothing was thrown';

/** A limit of ten a second, at a clock that is set by hand. */
function limitOfTen() {
  let now = 5000;
  const limit = new RateLimit(10, () => now);
  const take = (identity = 'a') => codeOf(() => limit.take(identity));
  return { limit, take, advance: (ms: number) => (now += ms) };
}

test('a second worth of requests at once, then one for each tenth', () => {
  const { take, advance } = limitOfTen();
  const codes = Array.from({ length: 11 }, () => take());
  expect(codes).toEqual([...Array(10).fill(taken), 'rate_limited']);
  advance(100);
  expect([take(), take()]).toEqual([taken, 'rate_limited']);
  advance(60_000);
  expect(Array.from({ length: 11 }, () => take())).toEqual(codes);
});

test('what is refused costs nothing', () => {
  const { take, advance } = limitOfTen();
  for (let i = 0; i < 1000; i++) take();
  advance(100);
  expect(take()).toBe(taken);
});

test('one identity takes nothing from another', () => {
  const { take } = limitOfTen();
  for (let i = 0; i < 20; i++) take('a');
  expect(take('b')).toBe(taken);
});

test('says what is left', () => {
  const { limit } = limitOfTen();
  expect(limit.take('a')).toEqual({
    'ratelimit-policy': '"default";q=10;w=1',
    ratelimit: '"default";r=9;t=1',
  });
  for (let i = 0; i < 8; i++) limit.take('a');
  expect(limit.take('a')['ratelimit']).toBe('"default";r=0;t=1');
});

test('no limit says nothing', () => {
  const limit = new RateLimit(0);
  for (let i = 0; i < 5000; i++) expect(limit.take('a')).toEqual({});
});

test('many identities that rest are forgotten, those that do not keep their count', () => {
  const { limit, take, advance } = limitOfTen();
  for (let i = 0; i < 10_000; i++) limit.take(`rested ${i}`);
  advance(2000);
  for (let i = 0; i < 10; i++) limit.take('busy');
  limit.take('one more');
  expect(take('busy')).toBe('rate_limited');
});
