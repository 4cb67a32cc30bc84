import { join } from 'node:path';
import * as z from 'zod';
import { installMiniStack } from '../test/aws/tools.ts';
import type { Figures } from './figures.ts';
import { run } from './load.ts';
import { begin, end, eventually, freePort } from './process.ts';

const OURS = 'FlowMason Secrets, resolve function';
const THEIRS = 'AWS SDK, Secrets Manager, that many reads at once';

const asked = z.object({ asked: z.record(z.string(), z.number()), read: z.number(), write: z.number() });
const one = z.object({ ms: z.number(), cpu: z.number() });
const results = z.array(
  z.object({
    size: z.number(),
    ours: one,
    theirs: one,
    turns: z.number(),
    batch: z.number(),
    served: asked,
    recorded: asked,
  }),
);

/** What a resolve of so many references asks of AWS, and what a million of them cost there. */
export interface Price {
  readonly size: number;
  readonly requests: string;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly dollars: number;
  readonly secretsManager: number;
  readonly parameterStore: number;
}

/** Dollars a million, us-east-1, without a free tier. A Lambda of 256 MB that takes 12 ms, invoked directly. */
const PRICES = { read: 0.125, write: 0.625, kms: 3, lambda: 0.2 + 0.25 * 0.012 * 13.3334, logs: 0.25 };
const SECRETS_MANAGER = 5;
/** Advanced parameters; with a customer's key each read is a KMS request too. */
const PARAMETER_STORE = 5;

/** Against an emulator: what it takes itself is most of the time, so the CPU of the client says more. */
export async function measureAws(figures: Figures, folder: string): Promise<readonly Price[]> {
  const port = String(await freePort());
  const emulator = join(installMiniStack(), 'bin/ministack');
  const { AWS_ENDPOINT_URL: _endpoint, AWS_CA_BUNDLE: _bundle, ...env } = process.env;
  const child = begin(emulator, [], join(folder, 'ministack.log'), {
    ...env,
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: port,
    MINISTACK_HOST: '127.0.0.1',
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    LOG_LEVEL: 'WARNING',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await eventually(async () => (await fetch(endpoint)).arrayBuffer(), 200);
    const script = join(import.meta.dirname, 'aws-client.ts');
    const said = await run(process.execPath, ['--conditions=aws', script], {
      ...env,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: '000000000000',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      // The emulators that the tests' host asks for; only this one is used.
      FM_TEST_DYNAMODB: endpoint,
      FM_TEST_MINISTACK: endpoint,
      FM_TEST_MOTO: endpoint,
    });
    return results.parse(JSON.parse(said)).map((result) => {
      const work = `against the emulator: ${result.size} references, warm`;
      figures.add(work, OURS, 'ms', result.ours.ms);
      figures.add(work, THEIRS, 'ms', result.theirs.ms);
      figures.add(work, OURS, 'ms CPU', result.ours.cpu);
      figures.add(work, THEIRS, 'ms CPU', result.theirs.cpu);
      return priceOf(result);
    });
  } finally {
    await end(child);
  }
}

function priceOf({ size, turns, batch, served, recorded }: z.infer<typeof results>[number]): Price {
  const readUnits = served.read / turns + recorded.read / batch;
  const writeUnits = served.write / turns + recorded.write / batch;
  const kms = (served.asked['Decrypt'] ?? 0) / turns;
  const requests = Object.entries(served.asked).map(([name, count]) => `${count / turns} ${name}`);
  const after = Object.values(recorded.asked).reduce((sum, count) => sum + count, 0) / batch;
  const { read, write, kms: unwrap, lambda, logs } = PRICES;
  return {
    size,
    requests: `${requests.join(', ')}; afterwards ${after.toFixed(2)} (batches of ${batch})`,
    readUnits,
    writeUnits,
    dollars: readUnits * read + writeUnits * write + kms * unwrap + lambda + logs,
    secretsManager: size * SECRETS_MANAGER,
    parameterStore: size * PARAMETER_STORE,
  };
}
