import * as routes from '../../../functions/routes.ts';
import { usageFailure } from '../../failure.ts';
import { common, type Host, numberOf, toolsOf } from '../../tools.ts';

/** `fm secrets audit prove` */
export function addProve(audit: ReturnType<typeof common>, host: Host): void {
  common(audit.command('prove'))
    .argument('<sequence>', 'which record')
    .description('a proof that a record is in the log, in C2SP’s tlog-proof form')
    .option('--since <size>', 'with --json: prove too that the log of a checkpoint of this size only grew')
    .action(async (sequence, _options, command) => {
      const options = command.optsWithGlobals();
      const { api, terminal, json } = toolsOf(host, options);
      const since = numberOf('--since', options.since);
      if (since !== undefined && !json) throw usageFailure('--since goes with --json.');
      const proof = await api.call(routes.proveAudit, {
        sequence: numberOf('SEQUENCE', sequence) ?? 0,
        ...(since === undefined ? {} : { since }),
      });
      if (json) return terminal.printJson(proof);
      const extra = Buffer.from(proof.record).toString('base64');
      const lines = [
        'c2sp.org/tlog-proof@v1',
        `extra ${extra}`,
        `index ${proof.sequence - 1}`,
        ...proof.inclusion,
      ];
      for (const line of [...lines, '', ...proof.checkpoint.trimEnd().split('\n')]) terminal.print(line);
    });
}
