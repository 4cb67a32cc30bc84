import * as z from 'zod';
import { SecretsError } from '../../shared/contract/errors.ts';
import { readSettings } from './settings.ts';

/** `npm start`. What the host needs is loaded within, so that a store that cannot be opened is told in one line. */
async function start(): Promise<void> {
  const settings = readSettings(process.env);
  const { startHost } = await import('./host.ts');
  await startHost(settings);
}

start().catch((error: unknown) => {
  process.stderr.write(`FlowMason Secrets did not start. ${reasonOf(error)}\n`);
  process.exit(1);
});

function reasonOf(error: unknown): string {
  if (error instanceof SecretsError) return error.message;
  if (error instanceof z.ZodError) {
    return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  }
  if (!(error instanceof Error)) return 'The reason is not known.';
  if ('code' in error && error.code === 'EADDRINUSE') {
    return 'Another program listens there. Choose another port with FM_PORT.';
  }
  return error.message;
}
