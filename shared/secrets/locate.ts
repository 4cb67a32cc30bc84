import type { Caller } from '../access/caller.ts';
import { type Action, allows } from '../access/roles.ts';
import { type DemandNeeds, demand } from '../audit/demand.ts';
import { describeCoordinates, type Selector, selects } from '../contract/coordinates.ts';
import { SecretsError } from '../contract/errors.ts';
import type { SecretName } from '../contract/ids.ts';
import type { SecretStore, StoredSecret } from './secret-store.ts';

export interface LocateNeeds extends DemandNeeds {
  readonly secrets: Pick<SecretStore, 'findByName'>;
}

/** Which of a name's secrets are meant: those that serve, or those that were deleted and can be restored. */
type State = 'live' | 'deleted';

export type Located = Selector & { readonly name: SecretName };

/**
 * The one secret that a name and a selector mean, for a caller who may do this to it.
 * @throws SecretsError `forbidden`; `not_found`, the same for what does not exist and for what this caller
 *   may not see; `ambiguous_secret` with the candidates
 */
export async function locate(
  needs: LocateNeeds,
  caller: Caller,
  action: Action,
  request: Located,
  state: State = 'live',
): Promise<StoredSecret> {
  await demand(needs, caller, action);
  const visible = (await needs.secrets.findByName(caller.org, request.name)).filter(
    ({ at, purge_at }) =>
      selects(request, at) &&
      allows(caller, 'read', at) &&
      (purge_at === null || purge_at > needs.now().toISOString()),
  );
  const [found, ...others] = visible.filter(({ deleted_at }) => (deleted_at === null) === (state === 'live'));
  if (found === undefined) throw notFound(visible[0]);
  if (others.length > 0) throw ambiguous([found, ...others]);
  await demand(needs, caller, action, found.at);
  return found;
}

function notFound(deleted: StoredSecret | undefined): SecretsError {
  if (deleted?.deleted_at != null) {
    return new SecretsError('not_found', `It was deleted. It can be restored until ${deleted.purge_at}.`);
  }
  return new SecretsError(
    'not_found',
    'No such secret that this credential may see. List the secrets to find its name.',
  );
}

function ambiguous(candidates: readonly StoredSecret[]): SecretsError {
  const coordinates = candidates.map(({ at }) => describeCoordinates(at));
  const named = coordinates.map(({ scope, pipeline_id, user, environment }) =>
    [
      `scope=${scope}`,
      pipeline_id && `pipeline_id=${pipeline_id}`,
      user && `user=${user}`,
      `environment=${environment ?? 'none'}`,
    ]
      .filter((part) => part !== null)
      .join('&'),
  );
  return new SecretsError('ambiguous_secret', `Say which one is meant: ${named.join(' or ')}.`, {
    members: { candidates: coordinates },
  });
}
