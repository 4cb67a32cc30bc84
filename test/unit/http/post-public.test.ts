import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Network,
  NotPublic,
  parsePublicUrl,
  postPublic,
  signedHeaders,
} from '../../../shared/http/post-public.ts';
import { isPublicAddress } from '../../../shared/http/public-address.ts';
import { type Hook, startHook } from '../../testkit/hook.ts';

describe('addresses of the public internet', () => {
  test.each([
    ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.255.255'],
    ...['172.32.0.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255'],
    ...['2606:4700:4700::1111', '2a00:1450::1', '2001:4860:4860::8888', '2003::1'],
  ])('%s', (address) => expect(isPublicAddress(address)).toBe(true));

  test.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.0', '100.127.255.255', '127.0.0.1'],
    ...['127.255.255.255', '169.254.0.1', '169.254.169.254', '172.16.0.0', '172.31.255.255', '192.0.0.8'],
    ...[
      '192.0.2.1',
      '192.88.99.1',
      '192.168.0.0',
      '198.18.0.0',
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
    ],
    ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::ffff:8.8.8.8', '::ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::8.8.8.8', '64:ff9b:1::1'],
    ...[
      '100::1',
      '2001::1',
      '2001:10::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '3fff::1',
      'fc00::1',
      'fd00:ec2::254',
    ],
    ...[
      'fe80::1',
      'fe80::1%eth0',
      '2606:4700::1%lo',
      'fec0::1',
      'ff02::1',
      '',
      'localhost',
      '1.1.1',
      '1.1.1.1 ',
    ],
  ])('not %s', (address) => expect(isPublicAddress(address)).toBe(false));
});

let hook: Hook;
beforeAll(async () => {
  hook = await startHook();
});
afterAll(() => hook[Symbol.asyncDispose]());

/** A network where one loopback address counts as public, and everything else is as it is. */
function network(resolve: Network['resolve']): Network {
  return {
    resolve,
    isAllowed: (address) => address === '127.0.0.1' || isPublicAddress(address),
    ca: hook.ca,
  };
}

describe('a post', () => {
  const toLoopback = () => network(async () => ['127.0.0.1']);
  const url = (path = '/hook') => `https://hooks.example.com:${hook.port}${path}`;

  test('goes to the host that was named, over TLS that proves it, signed', async () => {
    hook.respond = (response) => response.writeHead(202).end('taken');
    const key = `whsec_${Buffer.from('0123456789abcdef').toString('base64')}`;
    const now = new Date('2026-11-24T12:00:00.500Z');
    const headers = signedHeaders(key, 'id-1', now, '{"a":1}');
    expect(await postPublic(url(), '{"a":1}', headers, toLoopback())).toEqual({ status: 202, body: 'taken' });
    const got = hook.asked.at(-1);
    expect(got).toMatchObject({
      path: '/hook',
      body: '{"a":1}',
      headers: { host: `hooks.example.com:${hook.port}` },
    });
    const signed = createHmac('sha256', '0123456789abcdef')
      .update('id-1.1795521600.{"a":1}')
      .digest('base64');
    expect(got?.headers).toMatchObject({
      'webhook-id': 'id-1',
      'webhook-timestamp': '1795521600',
      'webhook-signature': `v1,${signed}`,
      'content-type': 'application/json',
    });
  });

  test('is refused by a certificate of another name, and by one that nobody trusts', async () => {
    const count = hook.asked.length;
    await expect(
      postPublic(`https://other.example.com:${hook.port}/`, '', {}, toLoopback()),
    ).rejects.toThrow();
    const { resolve, isAllowed } = toLoopback();
    await expect(postPublic(url(), '', {}, { resolve, isAllowed })).rejects.toThrow();
    expect(hook.asked).toHaveLength(count);
  });

  test('follows no redirect', async () => {
    const count = hook.asked.length;
    hook.respond = (response) =>
      response.writeHead(307, { location: `https://hooks.example.com:${hook.port}/inner` }).end();
    expect((await postPublic(url('/outer'), 'body', {}, toLoopback())).status).toBe(307);
    expect(hook.asked.slice(count).map(({ path }) => path)).toEqual(['/outer']);
  });

  test.each([
    { what: 'a private address', addresses: ['10.0.0.1'] },
    { what: 'a public and a private one', addresses: ['8.8.8.8', '169.254.169.254'] },
    { what: 'a mapped one', addresses: ['::ffff:10.0.0.1'] },
    { what: 'no address', addresses: [] },
  ])('is not sent where a name has $what', async ({ addresses }) => {
    await expect(
      postPublic(
        url(),
        '',
        {},
        network(async () => addresses),
      ),
    ).rejects.toThrow(NotPublic);
  });

  test('goes to the address that was checked, whatever the name means a moment later', async () => {
    hook.respond = (response) => response.end('fine');
    const answers = [['127.0.0.1'], ['10.0.0.1'], ['10.0.0.1']];
    let lookups = 0;
    const rebinding = network(async () => answers[lookups++] ?? []);
    expect((await postPublic(url(), '', {}, rebinding)).status).toBe(200);
    expect(lookups).toBe(1);
    await expect(postPublic(url(), '', {}, rebinding)).rejects.toThrow(NotPublic);
  });

  test('is not sent to an address by its number, in any spelling, whatever the resolver says', async () => {
    const lying: Network = { resolve: async () => ['8.8.8.8'], isAllowed: isPublicAddress, ca: hook.ca };
    for (const host of [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '[::1]',
      '[::ffff:7f00:1]',
      '127.0.0.1.',
    ])
      await expect(postPublic(`https://${host}:${hook.port}/`, '', {}, lying), host).rejects.toThrow(
        NotPublic,
      );
  });

  test('asks no proxy of the environment', async () => {
    const before = process.env['HTTPS_PROXY'];
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1';
    try {
      expect((await postPublic(url(), '', {}, toLoopback())).status).toBe(200);
    } finally {
      if (before === undefined) delete process.env['HTTPS_PROXY'];
      else process.env['HTTPS_PROXY'] = before;
    }
  });

  test('reads no more of an answer than it must', async () => {
    hook.respond = (response) => response.end('x'.repeat(10_000_000));
    const { body } = await postPublic(url(), '', {}, toLoopback());
    expect(body.length).toBeLessThanOrEqual(65_536);
  });

  test.each([
    'http://example.com',
    'https://a:b@example.com',
    'https://a@example.com',
    'javascript:0',
    'https://',
    'x',
  ])('is not sent to %s', (text) => expect(() => parsePublicUrl(text)).toThrow(NotPublic));
});
