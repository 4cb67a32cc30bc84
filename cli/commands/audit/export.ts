import { once } from 'node:events';
import { Option } from '@commander-js/extra-typings';
import * as routes from '../../../functions/routes.ts';
import type { ExportFormat } from '../../../shared/contract/audit.ts';
import { common, type Host, numberOf, toolsOf } from '../../tools.ts';

const FORMATS: readonly ExportFormat[] = ['jsonl', 'csv', 'ocsf'];
const RECORDS_AT_ONCE = 1000;

/** `fm secrets audit export` and `fm secrets audit key` */
export function addExport(audit: ReturnType<typeof common>, host: Host): void {
  common(audit.command('export'))
    .description('the whole log, oldest first, on standard output; jsonl can be verified elsewhere')
    .addOption(new Option('--format <format>', 'what for').choices(FORMATS).default('jsonl' as const))
    .option('--from-sequence <n>', 'the first record')
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const { api, terminal } = toolsOf(host, options);
      const from = numberOf('--from-sequence', options.fromSequence);
      const pages = api.texts(routes.exportAudit, {
        format: options.format,
        from_sequence: from,
        limit: RECORDS_AT_ONCE,
      });
      let lines = 0;
      for await (const text of pages) {
        terminal.write(text);
        // A reader that is slower than the server must not make this process hold the log.
        if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
        lines += text.split('\n').length - 1;
        terminal.progress(`${lines} lines`);
      }
      terminal.note(`${lines} lines.`);
    });
  common(audit.command('key'))
    .description('the public key that the log’s checkpoints are signed with')
    .action(async (_options, command) => {
      const { api, terminal, json } = toolsOf(host, command.optsWithGlobals());
      const key = await api.call(routes.auditPublicKey, {});
      if (json) return terminal.printJson(key);
      for (const line of key.public_key.trimEnd().split('\n')) terminal.print(line);
    });
}
