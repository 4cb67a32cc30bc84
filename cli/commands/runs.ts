import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { flat } from '../api.ts';
import { ABSENT, createTable, moment, printBlock } from '../print.ts';
import { common, type Host, numberOf, PAGE, toolsOf } from '../tools.ts';

/** `fm runs …` */
export function addRuns(program: Command, host: Host): void {
  const runs = program.command('runs').description('begin and end runs, and see what they used');
  addStart(runs, host);
  addEnd(runs, host);
  addShow(runs, host);
  addList(runs, host);
}

function addStart(runs: Command, host: Host): void {
  common(runs.command('start'))
    .description('begin a run and print its token, which ends with the run')
    .requiredOption('--pipeline <id>', 'the pipeline')
    .requiredOption('--env <environment>', 'where it runs')
    .option('--user <user>', 'whose run it is')
    .option('--run-id <id>', 'its id, when you have one')
    .option('--ttl <seconds>', 'how long the token lives at most (default 3600)')
    .action(async (options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const started = await api.call(routes.startRun, {
        pipeline_id: options.pipeline,
        environment: options.env,
        user: options.user,
        run_id: options.runId,
        ttl_seconds: numberOf('--ttl', options.ttl),
      });
      if (json) return terminal.printJson(started);
      printBlock(terminal, [
        ['run_id', started.run_id],
        ['run_token', started.run_token],
        ['expires_at', moment(started.expires_at)],
      ]);
      terminal.note('The token is shown this once. It ends with the run: fm runs end RUN_ID');
    });
}

function addEnd(runs: Command, host: Host): void {
  common(runs.command('end').argument('<run_id>'))
    .description('end a run and its token')
    .action(async (run_id, options) => {
      const { api, terminal, json } = toolsOf(host, options);
      await api.call(routes.endRun, { run_id });
      if (!json) terminal.print(`${run_id} has ended.`);
    });
}

function addShow(runs: Command, host: Host): void {
  common(runs.command('show').argument('<run_id>'))
    .description('which version of which secret a run used')
    .action(async (run_id, options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const run = await api.call(routes.describeRun, { run_id });
      if (json) return terminal.printJson(run);
      printBlock(terminal, [
        ['run_id', run.run_id],
        ['pipeline_id', run.pipeline_id],
        ['environment', run.environment],
        ['user', run.user],
        ['started_at', moment(run.started_at)],
        ['ended_at', moment(run.ended_at)],
      ]);
      const table = createTable(terminal, ['SECRET', 'VERSION', 'FIRST_USED', 'LAST_USED', 'RESOLVES']);
      table.add(
        run.secrets.map(({ name, version, first_used_at, last_used_at, resolves }) => {
          return [name, String(version), moment(first_used_at), moment(last_used_at), String(resolves)];
        }),
      );
      table.end();
    });
}

function addList(runs: Command, host: Host): void {
  common(runs.command('list'))
    .description('which runs used a secret, newest first')
    .requiredOption('--secret <name>', 'the secret')
    .option('--version <n>', 'this version of it')
    .action(async (options) => {
      const { api, terminal, json } = toolsOf(host, options);
      const version = numberOf('--version', options.version);
      const pages = api.pages(routes.listRuns, { secret_name: options.secret, version, limit: PAGE });
      if (json) return terminal.printJson(await Array.fromAsync(flat(pages)));
      const table = createTable(terminal, [
        'RUN',
        'PIPELINE',
        'ENVIRONMENT',
        'USER',
        'VERSIONS',
        'LAST_USED',
      ]);
      for await (const page of pages) {
        table.add(
          page.map(({ run_id, pipeline_id, environment, user, versions, last_used_at }) => {
            const owner = [pipeline_id, environment, user].map((part) => part ?? ABSENT);
            return [run_id, ...owner, versions.join(','), moment(last_used_at)];
          }),
        );
      }
      table.end();
    });
}
