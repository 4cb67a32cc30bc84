import { existsSync } from 'node:fs';
import path from 'node:path';
import { storageOf } from '../../aws-outputs.ts';
import { localFailure } from '../../failure.ts';
import type { Host } from '../../tools.ts';

/** A mistyped folder must not become a new store. */
export function refuseWithoutStore({ environment, workingDirectory }: Host): void {
  const folder = path.resolve(workingDirectory, environment.FM_DATA_DIR ?? '.flowmason');
  if (existsSync(path.join(folder, 'store.db'))) return;
  throw localFailure('no-store', 'There is no store', `${folder} holds none.`, {
    next: ['Set FM_DATA_DIR to the data dir of the server, or start it once: npm start'],
  });
}

/** The services of a deployment, for whoever IAM lets at its table and keys. */
export async function onAws(outputs: string) {
  const env = storageOf(outputs);
  const { openServices } = await import('../../../shared/aws/open-services.ts');
  const { openArchive } = await import('../../../shared/aws/archive.ts');
  return { ...openServices(env), archive: openArchive(env) };
}
