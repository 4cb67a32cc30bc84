import { expect, test } from 'vitest';
import {
  AccessDeniedError,
  type ClientOptions,
  createSecretsClient,
  SecretNotFoundError,
  UnauthenticatedError,
} from '../../../client/main.ts';
import { type Answer, type FakeServer, fakeServer, problem, resolving } from './fake-server.ts';

/** What is missing, what is denied, and what is left after a denial: nothing. */

const runToken = 'fmr_0123456789abcdef';
const clientOf = ({ url }: FakeServer, options: ClientOptions = {}) =>
  createSecretsClient({ apiUrl: url, runToken, retry: { attempts: 1 }, ...options });

test('nothing is kept past a denial', async () => {
  let isDenied = false;
  const values = resolving({ a: '1', b: '2' });
  await using server = await fakeServer((request) =>
    isDenied ? problem(403, 'forbidden') : values(request),
  );
  const client = clientOf(server);
  await client.resolve(['{{secrets.a}}', '{{secrets.b}}']);
  isDenied = true;
  await expect(client.get('a', { version: 1 })).rejects.toBeInstanceOf(AccessDeniedError);
  await expect(client.get('a')).rejects.toBeInstanceOf(AccessDeniedError);
  await expect(client.get('b')).rejects.toBeInstanceOf(AccessDeniedError);
});

test('nor what was on its way when it came', async () => {
  const held = Promise.withResolvers<Answer>();
  await using server = await fakeServer((_request, count) =>
    count === 1 ? held.promise : problem(401, 'unauthenticated'),
  );
  const client = clientOf(server);
  const early = client.get('a');
  while (server.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await expect(client.exists('a')).rejects.toBeInstanceOf(UnauthenticatedError);
  const late = client.get('a').catch((error: unknown) => error);
  while (server.received.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  held.resolve({ body: { config: { value: 'old' }, secrets: [] } });
  expect(await early).toBe('old'); // who asked before gets what was right before
  expect(await late).toBeInstanceOf(UnauthenticatedError);
  await expect(client.get('a')).rejects.toBeInstanceOf(UnauthenticatedError);
});

test('errors tell what is missing and where, in the places of the user', async () => {
  const references = [
    {
      name: 'kye',
      reference: 'kye',
      paths: ['$.h.a[0]', '$.h.a[1]', '$.b'],
      code: 'not_found',
      problem: 'no secret of this name',
      nearest: 'key',
    },
  ];
  await using server = await fakeServer(() => problem(422, 'unresolved_references', { references }));
  const config = { h: { a: '{{secrets.kye}} {{secrets.kye}}' }, b: '{{secrets.kye}}' };
  const error = await clientOf(server)
    .resolve(config)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SecretNotFoundError);
  expect(error).toMatchObject({ status: 422, code: 'unresolved_references', requestId: 'r-1' });
  expect(error).toMatchObject({
    paths: ['$.h.a', '$.b'],
    names: ['kye'],
    nearest: new Map([['kye', 'key']]),
  });
  expect(String(error)).toContain('{{secrets.kye}} at $.h.a, $.b: no secret of this name; did you mean key?');
});

test.each([
  [401, 'unauthenticated', UnauthenticatedError],
  [403, 'forbidden', AccessDeniedError],
])('%i is typed', async (status, code, type) => {
  await using server = await fakeServer(() => problem(status, code));
  await expect(clientOf(server).exists('key')).rejects.toBeInstanceOf(type);
  await expect(clientOf(server).list()).rejects.toBeInstanceOf(type);
  await expect(clientOf(server).get('key')).rejects.toMatchObject({ status, code, requestId: 'r-1' });
});
