import { AwsClient } from 'aws4fetch';

/** A request to AWS. */
export interface Attempt {
  readonly service: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What somebody puts in a function's place who has taken it over: it asks AWS for what it is told, by the function's role. */
export async function handler({ attempts }: { readonly attempts: readonly Attempt[] }): Promise<unknown> {
  const { AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } =
    process.env;
  const client = new AwsClient({
    accessKeyId: AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: AWS_SECRET_ACCESS_KEY ?? '',
    sessionToken: AWS_SESSION_TOKEN ?? '',
    region: AWS_REGION ?? '',
    retries: 0,
  });
  return Promise.all(
    attempts.map(async ({ service, path, ...init }) => {
      const answer = await client.fetch(`${AWS_ENDPOINT_URL}${path}`, { ...init, aws: { service } });
      return { status: answer.status, text: await answer.text() };
    }),
  );
}
