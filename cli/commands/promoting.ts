import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';
import type { Api } from '../api.ts';
import { confirmPlace, writing } from '../confirm.ts';
import { exitCodes, Failure, localFailure, usageFailure } from '../failure.ts';
import { createTable } from '../print.ts';
import { apiOf, common, type Host, selecting, selectorOf, toolsOf } from '../tools.ts';
import type { Value } from '../value.ts';
import { verdictOf } from './comparing.ts';

const HELP = `
Who may write may not read, so the value comes by a second key: FM_RESOLVE_KEY, a runtime key for the environment
that it comes from. The key that fm uses otherwise writes it. --plan needs no value, and no second key.`;

interface Move {
  readonly do: 'create' | 'change' | 'same' | 'unknown';
  readonly source: SecretMetadata;
  readonly target: SecretMetadata | undefined;
}

/** `fm secrets promote` */
export function addPromoting(secrets: Command, host: Host): void {
  writing(selecting(common(secrets.command('promote').argument('<name...>'))))
    .description('give an environment the values that another one has')
    .requiredOption('--from <environment>', 'where the values are')
    .requiredOption('--to <environment>', 'where they shall be')
    .option('--plan', 'show what would be done (the default)')
    .option('--apply', 'do it')
    .addHelpText('after', HELP)
    .action(async (names, options) => {
      const tools = toolsOf(host, options);
      const { from, to } = options;
      if (options.plan === true && options.apply === true)
        throw usageFailure('Say --plan or --apply, not both.');
      if (options.env !== undefined) throw usageFailure('Say --from and --to, not --env.');
      const moves: Move[] = [];
      for (const name of names)
        moves.push(await planMove(tools.api, { name, ...selectorOf(options) }, from, to));
      const reading = options.apply === true ? readerOf(host) : undefined;
      if (reading !== undefined) {
        await confirmPlace(tools, { env: to, yes: options.yes });
        for (const move of moves) if (move.do !== 'same') await carry(tools.api, reading, move, from, to);
      }
      const rows = moves.map(({ do: doing, source, target }) => {
        return { do: doing, name: source.name, from: source.version, to: target?.version ?? null };
      });
      if (tools.json) return tools.terminal.printJson(rows);
      const table = createTable(tools.terminal, [
        reading ? 'DONE' : 'DO',
        'NAME',
        from.toUpperCase(),
        to.toUpperCase(),
      ]);
      table.add(rows.map((row) => [row.do, row.name, `v${row.from}`, row.to === null ? '-' : `v${row.to}`]));
      table.end();
      if (reading === undefined) tools.terminal.note('Nothing was written; --apply does it.');
    });
}

type Named = { readonly name: string } & ReturnType<typeof selectorOf>;

async function planMove(api: Api, named: Named, from: string, to: string): Promise<Move> {
  const source = await api.call(routes.describeSecret, { ...named, environment: from });
  const { scope, pipeline_id, user } = source;
  const owner = { scope, pipeline_id: pipeline_id ?? undefined, user: user ?? undefined };
  const target = await api
    .call(routes.describeSecret, { name: named.name, ...owner, environment: to })
    .catch((error: unknown) => {
      if (error instanceof Failure && error.exitCode === exitCodes.notFound) return undefined;
      throw error;
    });
  const verdict = verdictOf(source, target);
  if (target === undefined) return { do: 'create', source, target };
  return { do: verdict === 'same' || verdict === 'unknown' ? verdict : 'change', source, target };
}

function readerOf(host: Host): Api {
  const key = host.environment.FM_RESOLVE_KEY;
  if (key === undefined) {
    throw usageFailure('There is no key that may read the values.', [
      'Set FM_RESOLVE_KEY to a runtime key for the environment that they come from.',
    ]);
  }
  return apiOf(host, key);
}

/** Resolves exactly the version of the plan and writes it. The value is nowhere but in this process. */
async function carry(
  api: Api,
  reading: Api,
  { source, target }: Move,
  from: string,
  to: string,
): Promise<void> {
  const { name, scope, version, description, metadata, rotation_days } = source;
  const owner = { pipeline_id: source.pipeline_id ?? undefined, user: source.user ?? undefined };
  const asked = { config: `{{secrets.${name}@${version}}}`, environment: from, ...owner };
  const { config, secrets } = await reading.call(routes.resolveConfig, asked);
  const [used] = secrets;
  // Another one may have come before it: a pipeline's own, for example.
  if (used === undefined || used.scope !== scope || used.environment !== from || typeof config !== 'string')
    throw localFailure(
      'not-carried',
      'It was not promoted',
      `${name} does not resolve to the one that was meant.`,
    );
  const value: Value = { value: config, encoding: used.encoding ?? 'utf8' };
  const put = { name, ...value, scope, ...owner, environment: to };
  if (target === undefined) {
    const about = {
      description: description ?? undefined,
      metadata,
      rotation_days: rotation_days ?? undefined,
    };
    await api.call(routes.createSecret, { ...put, ...about });
  } else {
    const reason = `Promoted from ${from}, version ${version}`;
    await api.call(routes.putSecret, { ...put, expected_version: target.version, reason });
  }
}
