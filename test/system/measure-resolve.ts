import { loadavg } from 'node:os';
import { join } from 'node:path';
import { eventText } from '../../shared/audit/chain.ts';
import { createOrganization } from '../../shared/callers/create-organization.ts';
import { environmentName, secretName } from '../../shared/contract/ids.ts';
import { createSecret } from '../../shared/secrets/create-secret.ts';
import { type ResolveNeeds, resolveConfig } from '../../shared/secrets/resolve-config.ts';
import { busyOrg } from '../testkit/busy-log.ts';
import { keyCaller } from '../testkit/callers.ts';

const ROUNDS = 2000;
const AT_ONCE = 64;
const NAMES = ['one', 'two', 'three'];

/** Microseconds that a resolve takes, so many at once; the best of three, since others are on the machine. */
async function microseconds(resolve: () => Promise<unknown>, atOnce: number): Promise<number> {
  const times: number[] = [];
  for (let trial = 0; trial < 3; trial += 1) {
    let left = ROUNDS;
    const begun = performance.now();
    const work = async () => {
      while (left > 0) {
        left -= 1;
        await resolve();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    times.push(((performance.now() - begun) * 1000) / ROUNDS);
  }
  return Math.min(...times);
}

/**
 * What the record of an access adds to a resolve of three secrets: the same use-case on the same store, with its
 * outbox and with one that forgets. No HTTP is in it, so that the difference is the record's alone.
 */
export async function measureResolve(folder: string, say: (line: string) => void): Promise<void> {
  process.env['FM_DATA_DIR'] = join(folder, 'resolve');
  // Only now: the store is opened as this is loaded.
  const { services } = await import('../../shared/embedded/services.ts');
  await createOrganization(services, busyOrg, () => undefined);
  for (const name of NAMES)
    await createSecret(services, keyCaller('editor'), {
      name: secretName.parse(name),
      scope: 'org',
      value: 'v'.repeat(64),
      encoding: 'utf8',
    });
  const written = { requests: 0, bytes: 0 };
  const append: ResolveNeeds['outbox']['append'] = (event) => {
    written.requests += 1;
    written.bytes += eventText(event).length;
    return services.outbox.append(event);
  };
  const request = {
    config: NAMES.map((name) => `{{secrets.${name}}}`),
    environment: environmentName.parse('production'),
  };
  const asked = (needs: ResolveNeeds) => () => resolveConfig(needs, keyCaller('runtime'), request);
  const recorded = asked({ ...services, outbox: { append } });
  const unrecorded = asked({ ...services, outbox: { append: async () => undefined } });
  await microseconds(unrecorded, AT_ONCE); // compiled by the time it counts
  for (const atOnce of [1, AT_ONCE]) {
    const [without, with_] = [await microseconds(unrecorded, atOnce), await microseconds(recorded, atOnce)];
    const added = `${without.toFixed(0)} µs without its record, ${with_.toFixed(0)} µs with it`;
    say(
      `a resolve of three secrets, ${atOnce} at once: ${added}: ${(with_ - without).toFixed(0)} µs for one durable write; load ${loadavg()[0]?.toFixed(1)}`,
    );
  }
  const { requests, bytes } = written;
  say(`  ${requests} writes of ${Math.round(bytes / requests)} bytes for ${2 * 3 * ROUNDS} resolves`);
  services.database.close();
}
