import type { Caller } from '../access/caller.ts';
import type { SecretName } from '../contract/ids.ts';
import { pathsOf } from '../contract/references.ts';
import type { CheckResponse, ResolveRequest } from '../contract/resolve.ts';
import { type FindNeeds, findReferences, nearestNames } from './find-references.ts';
import { nextRotationAt } from './secret-record.ts';

/**
 * Says what a resolve of this config would find. Opens nothing and records no access.
 * @throws SecretsError `forbidden`; `validation`; the limits by their names; `unresolved_references` when a
 *   string is no valid reference
 */
export async function checkConfig(
  needs: FindNeeds,
  caller: Caller,
  request: ResolveRequest,
): Promise<CheckResponse> {
  const { place, scanned, chosen } = await findReferences(needs, caller, 'check', request);
  const references = [...scanned.references.values()];
  const missing = references.filter(({ name }) => !chosen.has(name));
  const none: ReadonlyMap<SecretName, SecretName> = new Map();
  const nearest = missing.length === 0 ? none : await nearestNames(needs, caller.org, place, missing);
  const now = needs.now().toISOString();
  return {
    references: references.map((reference) => {
      const { key: name } = reference;
      const paths = pathsOf(reference);
      const used = chosen.get(reference.name);
      if (used === undefined) {
        const near = nearest.get(reference.name);
        return { name, paths, found: false, ...(near === undefined ? {} : { nearest: near }) };
      }
      const { at } = used.stored;
      const due = nextRotationAt(used.record);
      return {
        name,
        paths,
        found: true,
        scope: at.scope,
        environment: at.environment,
        version: used.record.current.version,
        due: due !== null && due <= now,
      };
    }),
  };
}
