import * as z from 'zod';
import { localFailure, usageFailure } from '../failure.ts';
import { parseApiUrl } from '../settings.ts';
import { type Entry, entryOf, nameFrom, type Source } from './source.ts';

const listing = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const reading = z.object({ data: z.object({ data: z.record(z.string(), z.unknown()).nullable() }) });

const MAX_DEPTH = 32;
const TIMEOUT_MS = 30_000;

/**
 * HashiCorp Vault and OpenBao, the KV engine of version 2: every field of every secret below the path. A secret
 * whose one field is `value` is called like its path; others like path and field.
 */
export const vault: Source = async ({ environment, terminal }, from = '', { mount = 'secret' }) => {
  const { BAO_ADDR, VAULT_ADDR, BAO_TOKEN, VAULT_TOKEN, BAO_NAMESPACE, VAULT_NAMESPACE } = environment;
  const address = BAO_ADDR ?? VAULT_ADDR;
  const token = BAO_TOKEN ?? VAULT_TOKEN;
  if (address === undefined || token === undefined)
    throw usageFailure('Set VAULT_ADDR and VAULT_TOKEN (or BAO_ADDR and BAO_TOKEN).');
  const url = parseApiUrl(address, 'VAULT_ADDR');
  const namespace = BAO_NAMESPACE ?? VAULT_NAMESPACE;
  const headers = {
    'x-vault-token': token,
    'x-vault-request': 'true',
    ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
  };
  const ask = (kind: 'metadata' | 'data', path: string) => {
    const escaped = [mount, kind, ...path.split('/')].map(encodeURIComponent).join('/');
    return asked(
      new URL(
        `${url.pathname.replace(/\/$/, '')}/v1/${escaped}${kind === 'metadata' ? '?list=true' : ''}`,
        url,
      ),
      headers,
    );
  };
  const root = from.replace(/^\/|\/$/g, '');
  const entries: Entry[] = [];
  for (const path of await below(root, (at) => ask('metadata', at))) {
    entries.push(...fieldsOf(path, root, await ask('data', path)));
    terminal.progress(`${entries.length} read`);
  }
  return entries;
};

/** The paths of the secrets below one, itself when it is a secret. */
async function below(
  path: string,
  list: (path: string) => Promise<unknown>,
  depth = 0,
): Promise<readonly string[]> {
  const { data } = listing.safeParse(await list(path));
  if (data === undefined) return depth === 0 && path !== '' ? [path] : [];
  if (depth > MAX_DEPTH) throw usageFailure('The store is nested too deeply. Name a path within it.');
  const found: string[] = [];
  for (const key of data.data.keys) {
    const full = path === '' ? key : `${path}/${key}`;
    if (key.endsWith('/')) found.push(...(await below(full.slice(0, -1), list, depth + 1)));
    else found.push(full);
  }
  return found;
}

/** None when its current version is deleted. */
function fieldsOf(path: string, root: string, answer: unknown): readonly Entry[] {
  const fields = reading.safeParse(answer).data?.data.data ?? {};
  const within =
    path === root ? (path.split('/').at(-1) ?? path) : path.slice(root === '' ? 0 : root.length + 1);
  const names = Object.keys(fields);
  return names.map((field) => {
    const isOnly = names.length === 1 && field === 'value';
    return entryOf(`${path}#${field}`, fields[field], {
      name: nameFrom(isOnly ? within : `${within}_${field}`),
    });
  });
}

/** @returns the JSON of the answer, null for a 404: nothing is there, or its version is deleted */
async function asked(url: URL, headers: Readonly<Record<string, string>>): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.ok) return await response.json();
  } catch {
    throw localFailure('vault', 'Vault could not be read', `${url.origin} cannot be reached.`);
  }
  if (response.status === 404) return null;
  throw localFailure('vault', 'Vault could not be read', `It answered ${response.status}.`, {
    next: ['Look at the policy of the token: it must list and read this path.'],
  });
}
