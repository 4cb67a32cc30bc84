import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { services } from '#services';
import { keepAdminFile } from './admin-file.ts';
import { createConsole } from './console.ts';
import { createGateway } from './gateway.ts';
import { RateLimit } from './rate-limit.ts';
import type { ServerSettings } from './settings.ts';
import { startBackgroundThread } from './start-background.ts';

/** How long a stop waits for requests under way: one that never ends must not hold the process for ever. */
const DRAIN_MS = 10_000;

/** The API, the schedules and the store in one process on this machine. Settles when it listens. */
export async function startHost({ host, port, rateLimit, tls }: ServerSettings): Promise<void> {
  await checkRecovery();
  const gateway = await createGateway(new RateLimit(rateLimit));
  const showConsole = createConsole();
  const answer: RequestListener = (request, response) => {
    if (!showConsole(request, response)) gateway.answer(request, response);
  };
  const server = tls
    ? createHttpsServer(
        { cert: readFileSync(tls.cert), key: readFileSync(tls.key), minVersion: 'TLSv1.2' },
        answer,
      )
    : createHttpServer(answer);
  // A client that stays silent must not hold a socket for ever.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const url = `${tls ? 'https' : 'http'}://${shownHost}:${address.port}`;
  await keepAdminFile(services, url);
  // Now, when it no longer takes from the start what others wait for.
  const background = startBackgroundThread(services);

  const stop = async () => {
    server.close();
    server.closeIdleConnections();
    // A server that closes no longer looks after its own timeouts.
    const cutOff = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await gateway.idle();
    clearTimeout(cutOff);
    server.closeAllConnections();
    await background.stop();
    services.dataKeys.clear();
    services.database.close();
  };
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
  // Last: whoever waits for this line may stop it at once.
  process.stdout.write(`FlowMason Secrets is ready at ${url}; its data is in ${services.dataDir}\n`);
}

/** Tells at the start what would else be told by the first write, or never. @throws SecretsError `unavailable` */
async function checkRecovery(): Promise<void> {
  if (services.recovery !== null) return services.recovery.check();
  process.stderr.write(
    'No recovery key: who loses the keyring loses every secret. Set FM_RECOVERY_RECIPIENT (docs/operations.md).\n',
  );
}
