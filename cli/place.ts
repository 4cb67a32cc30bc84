import type { Command, OptionValues } from '@commander-js/extra-typings';
import * as routes from '../functions/routes.ts';
import { type Coordinates, coordinatesFor, coordinatesKey, toScope } from '../shared/contract/coordinates.ts';
import { environmentName, pipelineId, type SecretName, secretName, userId } from '../shared/contract/ids.ts';
import type { SecretMetadata } from '../shared/contract/secrets.ts';
import type { Api } from './api.ts';
import { usageFailure } from './failure.ts';
import { flagsOf, type Host, PAGE, type Selecting } from './tools.ts';

/** Adds the options that say where something is resolved. */
export function placing<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .option('--env <environment>', 'where it runs; with a run token it is the run’s')
    .option('--pipeline <id>', 'as which pipeline')
    .option('--user <user>', 'as whose run');
}

/** What {@link placing} adds. */
export interface Placing {
  readonly env?: string | undefined;
  readonly pipeline?: string | undefined;
  readonly user?: string | undefined;
}

/** The place in the words of the API. @throws Failure wrong usage when nothing says which environment */
export function placeOf({ environment }: Host, { env, pipeline, user }: Placing) {
  if (env === undefined && environment.FM_RUN_TOKEN === undefined)
    throw usageFailure('Say where it runs, for example --env production.');
  return { environment: env, pipeline_id: pipeline, user };
}

/** The coordinates that may serve a name at a place, the one that wins first. */
export function coordinatesAt(name: string, { env, pipeline, user }: Placing): readonly Coordinates[] {
  return coordinatesFor(secretName.parse(name), {
    environment: environmentName.parse(env),
    pipeline_id: pipeline === undefined ? null : pipelineId.parse(pipeline),
    user: user === undefined ? null : userId.parse(user),
  });
}

/** Every secret of a name that this key may see, deleted ones too. */
export async function secretsNamed(api: Api, name: string): Promise<readonly SecretMetadata[]> {
  const named: SecretMetadata[] = [];
  for (const deleted of ['false', 'true'] as const) {
    for await (const page of api.pages(routes.listSecrets, { prefix: name, deleted, limit: PAGE })) {
      named.push(...page.filter((secret) => secret.name === name));
      // A list is in the order of names: the name itself comes before those that it begins.
      if (page.some((secret) => secret.name !== name)) break;
    }
  }
  return named;
}

/** The coordinates of a secret as one key. */
export function keyOf(secret: SecretMetadata): string {
  return coordinatesKey({
    ...toScope({ ...secret, pipeline_id: secret.pipeline_id ?? undefined, user: secret.user ?? undefined }),
    name: secret.name as SecretName,
    environment: secret.environment,
  });
}

/** Coordinates in words, for example `pipeline p, production`. */
export function wordsOf(at: {
  readonly scope: string;
  readonly pipeline_id?: string | null;
  readonly user?: string | null;
  readonly environment: string | null;
}): string {
  const owner = at.pipeline_id ?? at.user;
  return `${at.scope}${owner ? ` ${owner}` : ''}, ${at.environment ?? 'every environment'}`;
}

/** The flags that select a secret, for a command that is suggested. */
export function flagsFor(at: {
  readonly scope: SecretMetadata['scope'];
  readonly pipeline_id?: string | null;
  readonly user?: string | null;
  readonly environment: string | null;
}): string {
  const owner: Selecting =
    at.scope === 'org'
      ? {}
      : { scope: at.scope, pipeline: at.pipeline_id ?? undefined, user: at.user ?? undefined };
  return flagsOf({ ...owner, env: at.environment ?? 'none' });
}
