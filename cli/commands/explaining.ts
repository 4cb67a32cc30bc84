import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { coordinatesKey, describeCoordinates } from '../../shared/contract/coordinates.ts';
import { secretName } from '../../shared/contract/ids.ts';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import { exitCodes, invalidInput, localFailure } from '../failure.ts';
import { coordinatesAt, keyOf, placeOf, placing, secretsNamed, wordsOf } from '../place.ts';
import { createTable } from '../print.ts';
import { common, type Host, toolsOf } from '../tools.ts';
import { verdictOf } from '../verdict.ts';

/** `fm secrets explain` */
export function addExplaining(secrets: Command, host: Host): void {
  placing(common(secrets.command('explain').argument('<name>')))
    .description('which secret of a name is taken, why, and which others were tried')
    .action(async (given, options) => {
      const { api, terminal, json } = toolsOf(host, { takesRunToken: true });
      const name = secretName.safeParse(given);
      if (!name.success) throw invalidInput([{ path: 'name', message: name.error.issues[0]?.message ?? '' }]);
      const request = { config: `{{secrets.${name.data}}}`, ...placeOf(host, options) };
      const { references } = await api.call(routes.checkConfig, request);
      const named = await secretsNamed(api, name.data);
      const tried = options.env === undefined ? [] : coordinatesAt(name.data, options);
      const rows = judge(
        tried.map((at) => ({ key: coordinatesKey(at), ...describeCoordinates(at) })),
        named,
      );
      if (json) terminal.printJson(rows);
      else {
        const table = createTable(terminal, ['ORDER', 'COORDINATES', 'VERSION', 'VERDICT']);
        table.add(
          rows.map((row) => [
            String(row.order ?? '-'),
            wordsOf(row),
            String(row.version ?? '-'),
            row.verdict,
          ]),
        );
        table.end();
      }
      const [reference] = references;
      if (reference === undefined || reference.found) return;
      const { detail, mend } = verdictOf(reference, named, options);
      throw localFailure('not-served', 'Nothing serves it here', detail, {
        exitCode: exitCodes.notFound,
        next: [`Mend: ${mend}`],
      });
    });
}

interface Tried {
  readonly key: string;
  readonly scope: SecretMetadata['scope'];
  readonly pipeline_id: string | null;
  readonly user: string | null;
  readonly environment: string | null;
}

interface Row extends Omit<Tried, 'key'> {
  /** Its turn, from 1; null for one that is not tried at this place. */
  readonly order: number | null;
  readonly version: number | null;
  readonly verdict: string;
}

/** First those that are tried, in their order, then the others of the name. */
function judge(tried: readonly Tried[], named: readonly SecretMetadata[]): readonly Row[] {
  const rows: Row[] = [];
  let winner: number | null = null;
  for (const [index, { key, ...at }] of tried.entries()) {
    const order = index + 1;
    const secret = named.find((each) => keyOf(each) === key);
    const isLive = secret !== undefined && secret.deleted_at === null;
    const verdict = isLive
      ? winner === null
        ? 'wins'
        : `${winner} comes before it`
      : secret
        ? 'deleted'
        : 'not there';
    if (isLive) winner ??= order;
    rows.push({ order, ...at, version: secret?.version ?? null, verdict });
  }
  const others = named.filter((secret) => !tried.some(({ key }) => key === keyOf(secret)));
  for (const { scope, pipeline_id, user, environment, version, deleted_at } of others) {
    const verdict = deleted_at === null ? 'serves another place' : 'serves another place, deleted';
    rows.push({ order: null, scope, pipeline_id, user, environment, version, verdict });
  }
  return rows;
}
