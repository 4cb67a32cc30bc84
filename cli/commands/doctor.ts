import { isIP } from 'node:net';
import type { Command } from '@commander-js/extra-typings';
import * as routes from '../../functions/routes.ts';
import { VERSION } from '../../shared/contract/version.ts';
import { createApi, flat } from '../api.ts';
import { exitCodes, Failure } from '../failure.ts';
import { monthlyDollars } from '../prices.ts';
import { createTable } from '../print.ts';
import type { Settings } from '../settings.ts';
import { common, type Host, PAGE, settingsOf } from '../tools.ts';

interface Finding {
  readonly check: 'server' | 'tls' | 'clock' | 'version' | 'credential' | 'cost';
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

/** `fm doctor` */
export function addDoctor(program: Command, host: Host): void {
  common(program.command('doctor'))
    .description('whether the server can be reached and how, who we are to it, and what it costs a month')
    .action(async () => {
      const findings = await examine(settingsOf(host));
      if (host.outcome.common.json === true) host.terminal.printJson(findings);
      else {
        const table = createTable(host.terminal, ['CHECK', 'STATE', 'DETAIL']);
        table.add(findings.map(({ check, state, detail }) => [check, state, detail]));
        table.end();
      }
      if (findings.some(({ state }) => state === 'failed')) host.outcome.exitCode = exitCodes.failed;
    });
}

async function examine(settings: Settings): Promise<readonly Finding[]> {
  const tls = await examineTls(settings.apiUrl);
  const health = await askHealth(settings.apiUrl);
  if (typeof health === 'string') return [{ check: 'server', state: 'failed', detail: health }, tls];
  const { headers, took, version, lag } = health;
  return [
    {
      check: 'server',
      state: 'ok',
      detail: `${settings.apiUrl.origin} answers in ${took} ms; the audit is ${lag} behind`,
    },
    tls,
    examineClock(headers.get('date')),
    examineVersion(version),
    await examineCredential(settings),
    await examineCost(settings, headers.has('apigw-requestid')),
  ];
}

const TIMEOUT_MS = 10_000;

async function askHealth(apiUrl: URL) {
  const begun = performance.now();
  try {
    const url = new URL(`${apiUrl.pathname.replace(/\/$/, '')}/health`, apiUrl);
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    const took = Math.round(performance.now() - begun);
    const { data } = routes.health.output.safeParse(await response.json());
    if (data === undefined)
      return `${apiUrl.origin} is not healthy, or is no FlowMason server (${response.status})`;
    return { headers: response.headers, took, version: data.version, lag: data.audit_lag };
  } catch (error) {
    return `${apiUrl.origin} cannot be reached (${codeOf(error)})`;
  }
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause ? String(cause.code) : cause.name;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const SOON_DAYS = 14;

async function examineTls(url: URL): Promise<Finding> {
  if (url.protocol === 'http:')
    return { check: 'tls', state: 'ok', detail: 'none: the server is on this machine' };
  const { connect } = await import('node:tls');
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const named = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host, port: Number(url.port || 443), ...named, timeout: TIMEOUT_MS });
    const end = (state: Finding['state'], detail: string) => {
      socket.destroy();
      resolve({ check: 'tls', state, detail });
    };
    socket.once('secureConnect', () => {
      const until = new Date(socket.getPeerCertificate().valid_to);
      const days = Math.floor((until.getTime() - Date.now()) / DAY_MS);
      const detail = `${socket.getProtocol()}; the certificate is good until ${until.toISOString().slice(0, 10)}`;
      end(days < SOON_DAYS ? 'warning' : 'ok', detail);
    });
    socket.once('timeout', () => end('failed', 'no answer'));
    socket.once('error', (error) => end('failed', tlsTrouble(codeOf(error), host)));
  });
}

function tlsTrouble(code: string, host: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `the certificate is for another name than ${host}`;
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate has expired';
  if (!/CERT|SIGNATURE/.test(code)) return code;
  return `the certificate is not trusted here (${code}); a certificate authority of your own goes into NODE_EXTRA_CA_CERTS`;
}

const MOST_CLOCK_SECONDS = 30;

function examineClock(date: string | null): Finding {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs))
    return { check: 'clock', state: 'warning', detail: 'the server does not tell its time' };
  const apart = Math.abs(Math.round((Date.now() - theirs) / 1000));
  if (apart <= MOST_CLOCK_SECONDS)
    return { check: 'clock', state: 'ok', detail: `at most ${MOST_CLOCK_SECONDS} s apart from the server's` };
  return {
    check: 'clock',
    state: 'warning',
    detail: `${apart} s apart from the server's: run tokens may end early`,
  };
}

function examineVersion(server: string): Finding {
  const detail = `fm ${VERSION}, server ${server}`;
  return { check: 'version', state: server === VERSION ? 'ok' : 'warning', detail };
}

async function examineCredential(settings: Settings): Promise<Finding> {
  try {
    const caller = await createApi(settings).call(routes.describeCaller, {});
    const bounds = [...(caller.pipelines ?? []), ...(caller.environments ?? [])];
    const bound = bounds.length === 0 ? '' : `, bound to ${bounds.join(', ')}`;
    const detail = `${caller.subject}, ${caller.role ?? 'a run'} of ${caller.org}${bound}`;
    return { check: 'credential', state: 'ok', detail };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { check: 'credential', state: 'failed', detail: error.problem.title };
  }
}

const WEEK_DAYS = 7;
const MONTH_DAYS = 30.4;
const MOST_COUNTED = 10_000;

/** By what the audit recorded of the last week: reads of metadata leave no record unless that was asked for. */
async function examineCost(settings: Settings, isOnAws: boolean): Promise<Finding> {
  let events = 0;
  try {
    const pages = createApi(settings).pages(routes.queryAudit, { days: WEEK_DAYS, limit: PAGE });
    for await (const _ of flat(pages)) if (++events >= MOST_COUNTED) break;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { check: 'cost', state: 'warning', detail: 'cannot be told: this key may not read the audit log' };
  }
  const dollars = monthlyDollars((events / WEEK_DAYS) * MONTH_DAYS).toFixed(2);
  const use = `${events === MOST_COUNTED ? 'more than ' : ''}${events} events in ${WEEK_DAYS} days`;
  if (isOnAws) return { check: 'cost', state: 'ok', detail: `about ${dollars} USD a month (${use})` };
  return {
    check: 'cost',
    state: 'ok',
    detail: `nothing but this machine; on AWS about ${dollars} USD a month (${use})`,
  };
}
