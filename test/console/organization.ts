import type { Random } from '../testkit/random.ts';

/** The coordinates and words of the secrets that an organization of some size has. */

export interface Planned {
  readonly name: string;
  readonly scope: 'org' | 'pipeline' | 'user';
  readonly pipeline_id?: string;
  readonly user?: string;
  readonly environment: string;
  readonly value: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly rotation_days?: number;
}

export const ENVIRONMENTS = ['development', 'staging', 'production'];
export const PIPELINES = [
  ...['content-generator', 'daily-report', 'invoice-import', 'lead-scoring', 'churn-model', 'ad-sync'],
];
const PEOPLE = ['ada', 'grace', 'katherine', 'linus'];
const TEAMS = ['growth', 'platform', 'finance', 'data'];
const PROVIDERS =
  `airtable amplitude anthropic asana auth0 aws azure bigquery bitbucket box braintree calendly
circleci clearbit cloudflare cohere confluence contentful databricks datadog deepgram discord docusign dropbox
elastic fastly figma fivetran front gcp github gitlab google_ads grafana greenhouse hubspot intercom jira kafka
klaviyo linear looker mailchimp mailgun marketo mixpanel mongodb mux netlify notion okta openai pagerduty paypal
pinecone plaid postgres posthog quickbooks rabbitmq redis replicate salesforce segment sendgrid sentry shopify slack
snowflake stripe supabase tableau twilio typeform vercel weaviate workday xero zendesk zoom`.split(/\s+/);
const KINDS = ['api_key', 'webhook_secret', 'password', 'service_token', 'client_secret', 'signing_key'];

export function planSecrets(number: number, random: Random): Planned[] {
  const planned: Planned[] = [];
  for (let round = 0; planned.length < number; round++) {
    for (const provider of PROVIDERS) {
      for (const kind of KINDS) planned.push(...secretsNamed(provider, kind, round, random));
    }
  }
  return planned.slice(0, number);
}

/** One name of one owner, in every environment, in some, or in none of its own. */
function secretsNamed(provider: string, kind: string, round: number, random: Random): Planned[] {
  const name = round < 2 ? `${provider}_${kind}` : `${provider}_${kind}_${round}`;
  const where = random.below(4) === 0 ? ['none'] : ENVIRONMENTS.filter(() => random.below(9) > 0);
  const owner = ownerIn(round, random);
  const rotation_days = random.pick([null, null, 90, 180, 180, 270, 365]);
  return where.map((environment) => ({
    name,
    ...owner,
    environment,
    value: `value-of-${random.below(1e9)}-${random.below(1e9)}`,
    description: `${kind.replace('_', ' ')} of ${provider.replace('_', ' ')}`,
    metadata: { team: random.pick(TEAMS) },
    ...(rotation_days === null ? {} : { rotation_days }),
  }));
}

function ownerIn(round: number, random: Random): Pick<Planned, 'scope' | 'pipeline_id' | 'user'> {
  if (round % 5 === 4) return { scope: 'user', user: random.pick(PEOPLE) };
  return round % 2 === 1 ? { scope: 'pipeline', pipeline_id: random.pick(PIPELINES) } : { scope: 'org' };
}
