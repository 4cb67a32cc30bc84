import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import * as routes from '../../functions/routes.ts';
import type { ApiKeyIdentity } from '../../shared/access/caller.ts';
import { readRecordBytes } from '../../shared/audit/chain.ts';
import { checkpointAudit } from '../../shared/audit/checkpoint-audit.ts';
import { recordAudit } from '../../shared/audit/record-audit.ts';
import { verifyWhole } from '../../shared/audit/verify-audit.ts';
import { endRun } from '../../shared/callers/end-run.ts';
import { startRun } from '../../shared/callers/start-run.ts';
import { SecretsError } from '../../shared/contract/errors.ts';
import { type OrganizationId, organizationId } from '../../shared/contract/ids.ts';
import type { Route } from '../../shared/contract/route.ts';
import { CheckpointFolder } from '../../shared/embedded/checkpoint-store.ts';
import { DataKeys } from '../../shared/envelope/data-keys.ts';
import { SignatureVerifier } from '../../shared/envelope/signature.ts';
import { defineHandler, type HttpEvent, type Run } from '../../shared/http/define-handler.ts';
import { createSecret } from '../../shared/secrets/create-secret.ts';
import { deleteSecret } from '../../shared/secrets/delete-secret.ts';
import { describeSecret } from '../../shared/secrets/describe-secret.ts';
import { resolveConfig } from '../../shared/secrets/resolve-config.ts';
import { restoreSecret } from '../../shared/secrets/restore-secret.ts';
import { rotateSecret } from '../../shared/secrets/rotate-secret.ts';
import { updateSecret } from '../../shared/secrets/update-secret.ts';
import { throwawayKeyring } from '../testkit/key-service.ts';
import { Random } from '../testkit/random.ts';
import type { MakeStores, StoreHost } from './host.ts';

// Histories of real handlers over a real store, in which calls of the ports go wrong: they fail, they are done and
// said to have failed, they are done twice. Then all is well again, the stream delivers what it holds, and the log
// must be whole: no record lost, none twice, no value without a record.

const faultKinds = ['fails', 'is done and says it failed', 'is done twice'] as const;
type FaultKind = (typeof faultKinds)[number];

/** Which calls go wrong: each with this chance, by the history's own randomness. */
class Faults {
  readonly #random: Random;
  /** `port.method kind`, how often. */
  readonly injected = new Map<string, number>();
  /** Ids of the events of calls that were carried out. */
  readonly kept = new Set<string>();
  chance = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  next(call: string): FaultKind | null {
    if (this.#random.next() >= this.chance) return null;
    const kind = this.#random.pick(faultKinds);
    this.injected.set(`${call} ${kind}`, (this.injected.get(`${call} ${kind}`) ?? 0) + 1);
    return kind;
  }
}

type Method = (...given: unknown[]) => Promise<unknown>;

/** A port whose calls go wrong as `faults` says. */
function faulty<Port extends object>(name: string, port: Port, faults: Faults): Port {
  return new Proxy(port, {
    get(target, property) {
      const method: unknown = Reflect.get(target, property);
      if (typeof method !== 'function') return method;
      const run: Method = (...given) => Reflect.apply(method, target, given) as Promise<unknown>;
      return async (...given: unknown[]) => {
        const kind = faults.next(`${name}.${String(property)}`);
        if (kind === 'fails') throw new SecretsError('unavailable', 'injected');
        const answer = await run(...given);
        if (answer !== false) for (const id of eventIds(given)) faults.kept.add(id);
        if (kind === 'is done and says it failed') throw new SecretsError('unavailable', 'injected');
        return kind === 'is done twice' ? run(...given) : answer;
      };
    },
  });
}

/** The events within what a port was given: an event itself, or a trail's. */
function eventIds(given: readonly unknown[]): string[] {
  return given.flatMap((one) => {
    if (typeof one !== 'object' || one === null) return [];
    const { id, action, event, trail } = one as {
      id?: string;
      action?: string;
      event?: unknown;
      trail?: unknown;
    };
    if (action !== undefined && id !== undefined) return [id];
    return eventIds([event, trail].filter((part) => part !== undefined));
  });
}

const keyring = throwawayKeyring();
let made = 0;

/** The services of one organization of a history: its ports with faults, and what is made of them anew. */
function servicesOf(host: StoreHost, checkpoints: CheckpointFolder, faults: Faults) {
  const now = () => new Date();
  const newId = () => `${process.pid}-${++made}`;
  const keyService = faulty('keyService', keyring, faults);
  const dataKeyStore = faulty('dataKeyStore', host.dataKeyStore, faults);
  return {
    keyService,
    dataKeyStore,
    secrets: faulty('secrets', host.secrets, faults),
    callers: faulty('callers', host.callers, faults),
    replays: faulty('replays', host.replays, faults),
    outbox: faulty('outbox', host.outbox, faults),
    auditLog: faulty('auditLog', host.auditLog, faults),
    checkpoints: faulty('checkpoints', checkpoints, faults),
    dataKeys: new DataKeys({ keyService, dataKeyStore, newId, now }),
    signatures: new SignatureVerifier(keyService),
    environments: ['staging'],
    log: () => undefined,
    auditLag: async () => 0,
    now,
    newId,
  };
}
type HistoryServices = ReturnType<typeof servicesOf>;

const NAMES = ['a', 'b'];
const VALUE = 'canary-of-a-history';

interface Call {
  readonly route: Route;
  readonly run: Run<never, never>;
  readonly role: 'admin' | 'runtime';
  readonly request: (name: string) => { params?: Record<string, string>; body?: unknown };
}

const named = (body?: unknown) => (name: string) => ({
  params: { name },
  ...(body === undefined ? {} : { body }),
});
const calls: readonly Call[] = [
  [routes.createSecret, createSecret, 'admin', (name: string) => ({ body: { name, value: VALUE } })] as const,
  [routes.rotateSecret, rotateSecret, 'admin', named({ new_value: VALUE })] as const,
  [routes.updateSecret, updateSecret, 'admin', named({ description: 'd' })] as const,
  [routes.describeSecret, describeSecret, 'admin', named()] as const,
  [routes.deleteSecret, deleteSecret, 'admin', named()] as const,
  [routes.restoreSecret, restoreSecret, 'admin', named()] as const,
  [routes.rotateSecret, rotateSecret, 'runtime', named({ new_value: VALUE })] as const,
  [
    routes.startRun,
    startRun,
    'runtime',
    () => ({ body: { pipeline_id: 'p', environment: 'staging', run_id: 'r' } }),
  ] as const,
  [routes.endRun, endRun, 'admin', () => ({ params: { run_id: 'r' } })] as const,
  ...Array.from(
    { length: 4 },
    () =>
      [
        routes.resolveConfig,
        resolveConfig,
        'runtime',
        (name: string) => ({ body: { config: `{{secrets.${name}}}`, environment: 'staging' } }),
      ] as const,
  ),
].map(([route, run, role, request]) => ({ route, run: run as unknown as Run<never, never>, role, request }));

let asked = 0;

/** Calls a handler as API Gateway does. @returns the answer, and the id of the request */
async function ask(services: HistoryServices, org: OrganizationId, call: Call, name: string) {
  const { route, run, role, request } = call;
  const { params = {}, body } = request(name);
  const requestId = `request-${++asked}`;
  const identity: ApiKeyIdentity = {
    ...{ kind: 'api-key', org, key_id: 'K'.repeat(16) as ApiKeyIdentity['key_id'], role, subject: role },
    ...{ pipelines: null, environments: null },
  };
  const handler = defineHandler(services, route, run as never) as (
    event: HttpEvent,
    context: Context,
  ) => Promise<APIGatewayProxyStructuredResultV2>;
  const event = {
    headers: {
      authorization: 'Bearer x',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    rawPath: route.path,
    rawQueryString: '',
    pathParameters: params,
    requestContext: {
      authorizer: { lambda: { identity: JSON.stringify(identity) } },
      http: { method: route.method, sourceIp: '192.0.2.1' },
      requestId,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  } as unknown as HttpEvent;
  return { requestId, answer: await handler(event, {} as Context) };
}

/** The stream: hands over what the outbox holds, in two recorders at once, reordered, repeated, in parts. */
async function deliver(services: HistoryServices, texts: readonly string[], random: Random): Promise<void> {
  const batch = () => {
    const some = texts.filter(() => random.next() < 0.7);
    return some.concat(some.slice(0, 2)).sort(() => random.next() - 0.5);
  };
  await Promise.allSettled([recordAudit(services, batch()), recordAudit(services, batch())]);
}

/** What a history of this seed does. @returns what it found wrong; which faults it injected */
async function history(host: StoreHost, folder: string, seed: number) {
  const random = new Random(seed);
  const org = organizationId.parse(`h${seed}`);
  const faults = new Faults(random);
  const services = servicesOf(host, new CheckpointFolder(folder), faults);
  const texts = async () =>
    (await host.waiting()).filter((text) => (JSON.parse(text) as { org: string }).org === org);
  faults.chance = 0.02 + random.next() * 0.1;
  const served: string[] = [];
  const problems: string[] = [];
  for (let step = 0; step < 8; step++) {
    const { requestId, answer } = await ask(services, org, random.pick(calls), random.pick(NAMES));
    const hasValue = answer.body?.includes(VALUE) ?? false;
    if (hasValue && answer.statusCode === 200) served.push(requestId);
    else if (hasValue) problems.push(`an answer of ${answer.statusCode} holds a value`);
    if (answer.statusCode === 500) problems.push(`an answer of 500: ${answer.body}`);
    if (step % 3 === 2) await deliver(services, await texts(), random);
    if (step % 4 === 3) await checkpointAudit(services, org).catch(() => undefined);
  }
  faults.chance = 0;
  await deliver(services, await texts(), random);
  await recordAudit(services, await texts());
  const checkpoint = await checkpointAudit(services, org);
  if (checkpoint !== null && 'reason' in checkpoint) problems.push(`no checkpoint: ${checkpoint.reason}`);
  return {
    org,
    injected: faults.injected,
    problems: [...problems, ...(await wrongWith(services, org, served, faults.kept))],
  };
}

async function wrongWith(
  services: HistoryServices,
  org: OrganizationId,
  served: readonly string[],
  kept: ReadonlySet<string>,
): Promise<string[]> {
  const verification = await verifyWhole(services, org, { from: 0, root: null, isEnough: () => false });
  const records = (await services.auditLog.read(org, 1, 10_000)).map(
    ({ bytes }) => readRecordBytes(bytes).event,
  );
  const ids = new Set(records.map(({ id }) => id));
  const resolved = new Set(
    records.filter(({ action }) => action === 'access').map((event) => event.request_id),
  );
  return [
    ...(verification.verified ? [] : [JSON.stringify(verification)]),
    ...(ids.size === records.length ? [] : ['an event is in the log twice']),
    ...[...kept].filter((id) => !ids.has(id)).map((id) => `event ${id} was lost`),
    ...served.filter((id) => !resolved.has(id)).map((id) => `${id} got a value without a record`),
  ];
}

/** Outboxes are read whole, so a store serves so many histories. */
const HISTORIES_A_STORE = 50;

export interface HistoriesResult {
  readonly histories: number;
  /** Calls that went wrong, by `port.method kind`. */
  readonly injected: ReadonlyMap<string, number>;
  /** What was found wrong, with the seed that shows it again. */
  readonly problems: readonly string[];
}

/** Runs histories of consecutive seeds. @param onProgress told how many were run; false ends them there */
export async function runHistories(
  make: MakeStores,
  firstSeed: number,
  count: number,
  onProgress: (done: number, problems: readonly string[]) => boolean = () => true,
): Promise<HistoriesResult> {
  const injected = new Map<string, number>();
  const problems: string[] = [];
  let done = 0;
  for (let isOn = true; isOn && done < count; ) {
    const host = await make(() => new Date());
    const folder = mkdtempSync(join(tmpdir(), 'fm-histories-'));
    try {
      for (const end = Math.min(count, done + HISTORIES_A_STORE); done < end; done++) {
        const seed = firstSeed + done;
        const found = await history(host, folder, seed);
        problems.push(...found.problems.map((problem) => `seed ${seed}: ${problem}`));
        for (const [call, times] of found.injected) injected.set(call, (injected.get(call) ?? 0) + times);
      }
    } finally {
      await host.close();
      rmSync(folder, { recursive: true, force: true });
    }
    isOn = onProgress(done, problems);
  }
  return { histories: done, injected, problems };
}
