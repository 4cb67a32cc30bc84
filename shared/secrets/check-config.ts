import type { Caller } from '../access/caller.ts';
import { auditedSecret } from '../audit/event.ts';
import { type ReadNeeds, recordRead } from '../audit/record-read.ts';
import { pathsOf } from '../contract/references.ts';
import type { CheckResponse, ResolveRequest } from '../contract/resolve.ts';
import { nextRotationAt } from './due.ts';
import { type FindNeeds, findReferences } from './find-references.ts';
import { nearestNames } from './nearest-names.ts';

/**
 * Says what a resolve of this config would find. Opens nothing.
 * @throws SecretsError `forbidden`; `validation`; the limits by their names; `unresolved_references` when a
 *   string is no valid reference
 */
export async function checkConfig(
  needs: FindNeeds & ReadNeeds,
  caller: Caller,
  request: ResolveRequest,
): Promise<CheckResponse> {
  const { place, findings } = await findReferences(needs, caller, 'check', request);
  const secrets = [...findings].map(([{ name }, finding]) =>
    'problem' in finding ? { name, problem: finding.problem } : auditedSecret(finding.from.stored.at),
  );
  await recordRead(needs, caller, 'check', secrets, { place });
  const missing = [...findings].filter(([, finding]) => 'problem' in finding).map(([reference]) => reference);
  const nearest = missing.length === 0 ? null : await nearestNames(needs, caller.org, place, missing);
  const now = needs.now().toISOString();
  return {
    references: [...findings].map(([reference, finding]) => {
      const { key, name } = reference;
      const asked = { name, ...(key === name ? {} : { reference: key }), paths: pathsOf(reference) };
      if ('problem' in finding) {
        const near = nearest?.get(name);
        const hint = near === undefined ? {} : { nearest: near };
        return { ...asked, found: false, ...finding, ...hint };
      }
      const { from, version } = finding;
      const { scope, environment } = from.stored.at;
      const due = nextRotationAt(from.record);
      return {
        ...asked,
        found: true,
        scope,
        environment,
        version: version.version,
        due: due !== null && due <= now,
      };
    }),
  };
}
