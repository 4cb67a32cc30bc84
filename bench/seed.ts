import type { Caller } from '../shared/access/caller.ts';
import { createApiKey } from '../shared/callers/create-api-key.ts';
import { createOrganization } from '../shared/callers/create-organization.ts';
import { organizationId } from '../shared/contract/ids.ts';
import { createSecretRequest } from '../shared/contract/secrets.ts';
import { services } from '../shared/embedded/services.ts';
import { createSecret } from '../shared/secrets/create-secret.ts';
import { nameOf, VALUE } from './store.ts';

/**
 * `node bench/seed.ts COUNT EVERY`: fills the store of FM_DATA_DIR by the same use-case that a request runs, with
 * the secrets 0, EVERY, 2 × EVERY …, and prints the keys of an admin and of a runtime.
 */
const [count = 0, every = 1] = process.argv.slice(2).map(Number);
const AT_ONCE = 500;

const org = organizationId.parse('default');
const admin = { api_key: '' };
await createOrganization(services, org, (key) => {
  admin.api_key = key;
});
const caller = {
  kind: 'api-key',
  org,
  key_id: 'bench',
  role: 'admin',
  subject: 'bench',
  pipelines: null,
  environments: null,
  request_id: 'seed',
  ip_address: null,
  idempotency: null,
} as unknown as Caller;

for (let from = 0; from < count; from += AT_ONCE) {
  const length = Math.min(AT_ONCE, count - from);
  await Promise.all(
    Array.from({ length }, (_, index) => {
      const secret = { name: nameOf((from + index) * every), value: VALUE, environment: 'production' };
      return createSecret(services, caller, createSecretRequest.parse(secret));
    }),
  );
}
const { api_key } = await createApiKey(services, caller, { name: 'bench', role: 'runtime' });
services.database.close();
process.stdout.write(`${JSON.stringify({ admin: admin.api_key, runtime: api_key })}\n`);
