import { services } from '#services';
import { tendSecrets } from '../shared/rotation/tend-secrets.ts';

/** The schedule of each minute: carries out rotators’ steps, ends overlaps whose deadline is over, and prunes old versions. */
export async function handler(): Promise<void> {
  const { tended, failed } = await tendSecrets(services);
  const level = failed > 0 ? 'error' : 'info';
  if (tended + failed > 0) services.log({ level, function: 'tend-secrets', tended, failed });
}
