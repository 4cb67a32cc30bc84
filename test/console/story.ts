import { join } from 'node:path';
import { Random } from '../testkit/random.ts';
import { auditSettled, newDataDir, startServer, type TestServer } from '../testkit/server.ts';

/** What an organization of some size looks like after half a year: made by calls, on a server whose clock is set back. */

export interface Story {
  readonly server: TestServer;
  readonly secrets: number;
  /** A key that may resolve. */
  readonly runtimeKey: string;
  readonly viewerKey: string;
}

interface Made {
  readonly name: string;
  readonly scope: 'org' | 'pipeline' | 'user';
  readonly pipeline_id?: string;
  readonly user?: string;
  readonly environment?: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const ENVIRONMENTS = ['development', 'staging', 'production'];
const PIPELINES = [
  'content-generator',
  'daily-report',
  'invoice-import',
  'lead-scoring',
  'churn-model',
  'ad-sync',
];
const PEOPLE = ['ada', 'grace', 'katherine', 'linus'];
const PROVIDERS =
  `airtable amplitude anthropic asana auth0 aws azure bigquery bitbucket box braintree calendly
circleci clearbit cloudflare cohere confluence contentful databricks datadog deepgram discord docusign dropbox
elastic fastly figma fivetran front gcp github gitlab google_ads grafana greenhouse hubspot intercom jira kafka
klaviyo linear looker mailchimp mailgun marketo mixpanel mongodb mux netlify notion okta openai pagerduty paypal
pinecone plaid postgres posthog quickbooks rabbitmq redis replicate salesforce segment sendgrid sentry shopify slack
snowflake stripe supabase tableau twilio typeform vercel weaviate workday xero zendesk zoom`.split(/\s+/);
const KINDS = [
  'api_key',
  'webhook_secret',
  'password',
  'service_token',
  'client_secret',
  'signing_key',
  'read_token',
];
const TEAMS = ['growth', 'platform', 'finance', 'data'];
/** How many days ago things happened, and which share of the secrets was made then. */
const DAYS: readonly (readonly [number, number])[] = [
  ...[[200, 0.3] as const, [120, 0.3] as const, [70, 0.2] as const, [40, 0.12] as const],
  ...[26, 20, 15, 11, 8, 6, 4, 3, 2, 1].map((day) => [day, 0.007] as const),
];

/**
 * @param secrets how many there are in the end
 * @param entries how many entries the audit log has in the end, at least
 */
export async function tellStory(secrets: number, entries: number, seed: number): Promise<Story> {
  const random = new Random(seed);
  const dataDir = newDataDir();
  const planned = plan(secrets, random);
  let made: Made[] = [];
  let runtimeKey = '';
  let viewerKey = '';
  for (const [days, share] of DAYS) {
    const server = await startServer(dataDir, {
      FM_RATE_LIMIT: '0',
      FM_TEST_SET_BACK: String(days * DAY_MS),
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'set-back.ts')}`,
    });
    if (runtimeKey === '') {
      await expectStatus(server.call('PATCH', '/api/v1/organization', { record_reads: false }), 200);
      runtimeKey = await newKey(server, { name: 'orchestrator', role: 'runtime' });
      viewerKey = await newKey(server, { name: 'dashboards', role: 'viewer', subject: 'grace@example.com' });
    }
    const isLast = days === 1;
    const portion = planned.splice(0, isLast ? planned.length : Math.round(secrets * share));
    await inParallel(portion, (secret) => expectStatus(server.call('POST', '/api/v1/secrets', secret), 201));
    made = [...made, ...portion];
    const wanted = Math.round(((entries - secrets) / DAYS.length) * (isLast ? 1.05 : 1));
    await resolveMany(server, runtimeKey, made, wanted, random);
    await rotateSome(server, made, random);
    if (days === 6 || days === 2) await denyBurst(server, viewerKey, made);
    await auditSettled(server);
    await server.stop('SIGTERM');
  }
  const server = await startServer(dataDir);
  return { server, secrets: made.length, runtimeKey, viewerKey };
}

function plan(secrets: number, random: Random): (Made & { value: string })[] {
  const planned: (Made & { value: string })[] = [];
  for (let round = 0; planned.length < secrets; round++) {
    for (const provider of PROVIDERS)
      for (const kind of KINDS) {
        const name = round < 2 ? `${provider}_${kind}` : `${provider}_${kind}_${round}`;
        const owner =
          round % 2 === 1 ? { pipeline_id: PIPELINES[planned.length % PIPELINES.length] ?? '' } : null;
        const user = round % 5 === 4 ? (PEOPLE[planned.length % PEOPLE.length] ?? '') : null;
        const of =
          user !== null
            ? { scope: 'user' as const, user }
            : owner
              ? { scope: 'pipeline' as const, ...owner }
              : { scope: 'org' as const };
        const where = random.below(5) === 0 ? ['none'] : ENVIRONMENTS.filter(() => random.below(8) > 0);
        for (const environment of where)
          planned.push({
            name,
            ...of,
            environment,
            ...details(provider, kind, random),
          });
      }
  }
  return planned.slice(0, secrets);
}

function details(provider: string, kind: string, random: Random) {
  const rotation_days = random.pick([null, null, 30, 60, 90, 90, 180, 365]);
  return {
    value: `value-of-${random.below(1e9)}-${random.below(1e9)}`,
    description: `${kind.replace('_', ' ')} of ${provider.replace('_', ' ')}`,
    metadata: { team: random.pick(TEAMS) },
    ...(rotation_days === null ? {} : { rotation_days }),
  };
}

/** Runs that resolve 200 references each, until there are so many entries. */
async function resolveMany(
  server: TestServer,
  key: string,
  made: readonly Made[],
  entries: number,
  random: Random,
) {
  const names = new Map(
    ENVIRONMENTS.map((name) => [
      name,
      [
        ...new Set(
          made
            .filter(({ scope, environment }) => scope === 'org' && [name, 'none'].includes(environment ?? ''))
            .map((one) => one.name),
        ),
      ],
    ]),
  );
  const runs = Array.from({ length: Math.ceil(entries / 200) }, () => ({
    pipeline_id: random.pick(PIPELINES),
    environment: random.pick(['development', 'staging', 'production', 'production', 'production']),
    start: random.below(1000),
  }));
  await inParallel(
    runs,
    async ({ pipeline_id, environment, start }) => {
      const known = names.get(environment) ?? [];
      const config = Array.from(
        { length: Math.min(200, known.length) },
        (_, index) => `{{secrets.${known[(start + index) % known.length]}}}`,
      );
      const run = await server.call('POST', '/api/v1/runs', { pipeline_id, environment }, key);
      await expectStatus(
        server.call('POST', '/api/v1/resolve', { config }, String(field(run.body, 'run_token'))),
        200,
      );
    },
    4,
  );
}

async function rotateSome(server: TestServer, made: readonly Made[], random: Random): Promise<void> {
  const some = [...new Set(Array.from({ length: 40 }, () => random.pick(made)))];
  await inParallel(some, ({ name, scope, pipeline_id, user, environment }) => {
    const query = new URLSearchParams({
      scope,
      ...(pipeline_id && { pipeline_id }),
      ...(user && { user }),
      ...(environment && { environment }),
    });
    const body = {
      new_value: `rotated-${random.below(1e9)}`,
      reason: random.pick(['Scheduled rotation', 'Left the company', 'Key was in a log']),
    };
    return expectStatus(server.call('POST', `/api/v1/secrets/${name}/rotate?${query}`, body), 200);
  });
}

/** Somebody tries what a viewer may not. */
async function denyBurst(server: TestServer, viewer: string, made: readonly Made[]): Promise<void> {
  await inParallel(made.slice(0, 30), ({ name, scope, environment }) =>
    server.call(
      'DELETE',
      `/api/v1/secrets/${name}?scope=${scope}&environment=${environment}`,
      undefined,
      viewer,
    ),
  );
}

async function newKey(server: TestServer, fields: object): Promise<string> {
  return String(field((await server.call('POST', '/api/v1/api-keys', fields)).body, 'api_key'));
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}

async function expectStatus(reply: ReturnType<TestServer['call']>, status: number): Promise<void> {
  const { status: got, text } = await reply;
  if (got !== status) throw new Error(`${got} instead of ${status}: ${text}`);
}

async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  width = 32,
): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
