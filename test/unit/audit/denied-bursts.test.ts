import { expect, test } from 'vitest';
import { eventText } from '../../../shared/audit/chain.ts';
import { DeniedBursts } from '../../../shared/audit/denied-bursts.ts';
import { organizationId } from '../../../shared/contract/ids.ts';

const org = organizationId.parse('acme');
const textOf = (more: object) =>
  eventText({ id: 'e', org, timestamp: '', action: 'denied', outcome: 'denied', secrets: [], ...more });
const minutes = (count: number) => new Date(count * 60_000);

test('twenty refusals of one credential within five minutes are told once', () => {
  const bursts = new DeniedBursts();
  const one = textOf({ api_key_id: 'K', ip_address: '192.0.2.1' });
  const others = [textOf({}), textOf({ api_key_id: 'L' }), textOf({ outcome: 'success', api_key_id: 'K' })];
  expect(bursts.add([...Array(19).fill(one), ...others, ...others], minutes(0))).toEqual([]);
  expect(bursts.add([one, one], minutes(4))).toEqual([
    { org, api_key_id: 'K', denied: 20, ip_addresses: ['192.0.2.1'] },
  ]);
  expect(bursts.add(Array(30).fill(one), minutes(4))).toEqual([]);
  expect(bursts.add(Array(19).fill(one), minutes(6))).toEqual([]);
  expect(bursts.add([one], minutes(6))).toHaveLength(1);
});

test('refusals that are spread over time, or over credentials, are none', () => {
  const bursts = new DeniedBursts();
  for (let minute = 0; minute < 100; minute += 1)
    expect(
      bursts.add([textOf({ api_key_id: 'K' }), textOf({ api_key_id: `k${minute}` })], minutes(minute)),
    ).toEqual([]);
});
