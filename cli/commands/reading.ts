import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { moment, printBlock } from '../print.ts';
import { common, type Host, selecting, selectorOf, toolsOf } from '../tools.ts';

/** `fm secrets get`, in a family of its own: the command that is run most needs the fewest schemas. */
export function addReading(secrets: Command, host: Host): void {
  selecting(common(secrets.command('get').argument('<name>')))
    .description('what is known of a secret, without its value')
    .action(async (name, options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const secret = await api.call(routes.describeSecret, { name, ...selectorOf(options) });
      if (json) return terminal.printJson(secret);
      printBlock(terminal, [
        ['name', secret.name],
        ['scope', secret.scope],
        ['created_at', moment(secret.created_at)],
        ['created_by', secret.created_by],
        ['last_rotated', moment(secret.last_rotated)],
        ['description', secret.description],
        ['metadata', secret.metadata],
        ...present('pipeline_id', secret.pipeline_id),
        ...present('user', secret.user),
        ...present('environment', secret.environment),
        ['version', secret.version],
        ...present('pending', secret.pending?.version ?? null),
        ...present('previous', secret.previous?.version ?? null),
        ...present('rotator', secret.rotator?.kind ?? null),
        ...present('rotation', howFar(secret.rotation)),
        ...present('rotation_days', secret.rotation_days),
        ...present('next_rotation_at', secret.next_rotation_at),
        ...present('last_accessed_at', secret.last_accessed_at),
        ...present('deleted_at', secret.deleted_at),
      ]);
    });
}

/** How far a rotation by the rotator came, for example `failed at test: the role may not log in`. */
function howFar(rotation: SecretMetadata['rotation'] | undefined): string | null {
  // A server of an earlier version says nothing of it.
  if (rotation == null) return null;
  const { state, step, error, dry_run } = rotation;
  return `${dry_run ? 'dry run ' : ''}${state} at ${step}${error === null ? '' : `: ${error}`}`;
}

function present(name: string, value: string | number | null): [string, string | number][] {
  if (value === null) return [];
  return [[name, typeof value === 'string' && name.endsWith('_at') ? moment(value) : value]];
}
