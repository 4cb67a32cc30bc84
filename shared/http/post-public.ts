import { createHmac } from 'node:crypto';
import { lookup as systemLookup } from 'node:dns/promises';
import { Agent, request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';

const CONNECT_AND_ANSWER_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;

/** What a post came to, when there was an answer. */
export interface PostAnswer {
  readonly status: number;
  /** At most 64 KiB of it. */
  readonly body: string;
}

/** How the network is reached; tests put another one here, which settings cannot. */
export interface Network {
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly isAllowed: (address: string) => boolean;
  /** Roots to trust instead of the system's. */
  readonly ca?: string;
}

const publicNetwork: Network = {
  resolve: async (host) => (await systemLookup(host, { all: true })).map(({ address }) => address),
  isAllowed: isPublicAddress,
};

/** A URL that is not one of the public internet, or what it leads to is not. Says nothing of the URL. */
export class NotPublic extends Error {
  override readonly name = 'NotPublic';
}

/**
 * A URL that {@link postPublic} may be asked to post to.
 * @throws NotPublic when it is no https URL, has a user or password, or names an address that is not public
 */
export function parsePublicUrl(text: string, { isAllowed }: Pick<Network, 'isAllowed'> = publicNetwork): URL {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:') throw new NotPublic('must be an https URL');
  if (url.username !== '' || url.password !== '') throw new NotPublic('must have no user or password');
  const host = bareHost(url);
  if (host === '') throw new NotPublic('must name a host');
  if (isIP(host) !== 0 && !isAllowed(host)) throw new NotPublic('must not lead into a private network');
  return url;
}

/**
 * Posts to the public internet and nowhere else. The name is resolved once, every address that it has must be
 * public, and the connection goes to the one that was checked: a name that resolves to another address a moment later
 * changes nothing. Redirects are not followed, and proxies not asked.
 * @throws NotPublic; Error of the network, whose message must not be shown: it may quote the host
 */
export async function postPublic(
  target: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  network: Network = publicNetwork,
): Promise<PostAnswer> {
  const url = parsePublicUrl(target, network);
  const host = bareHost(url);
  const addresses = isIP(host) === 0 ? await network.resolve(host) : [host];
  const [address] = addresses;
  if (address === undefined || !addresses.every(network.isAllowed))
    throw new NotPublic('must not lead into a private network');
  return send(url, address, body, headers, network);
}

function send(
  url: URL,
  address: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  { ca }: Network,
): Promise<PostAnswer> {
  const family = isIP(address);
  const pinned: LookupFunction = (_host, options, done) =>
    options.all ? done(null, [{ address, family }]) : done(null, address, family);
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(CONNECT_AND_ANSWER_MS);
    const sent = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      // Of its own: a kept connection would have been checked for another request, an environment's proxy never.
      agent: new Agent({ keepAlive: false }),
      lookup: pinned,
      signal,
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
    });
    sent.once('error', reject);
    sent.once('response', (answer) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const done = () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
      answer.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= MAX_ANSWER_BYTES) chunks.push(chunk);
        else sent.destroy();
      });
      answer.once('close', done);
      answer.once('error', done);
    });
    sent.end(body);
  });
}

/** A host without the brackets of an IPv6 address and without the root's dot. */
function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

/**
 * The headers that sign a post, as Standard Webhooks has them: `webhook-id`, the same in every attempt;
 * `webhook-timestamp`; `webhook-signature: v1,<HMAC-SHA-256 of id.timestamp.body, base64>`.
 * @param key `whsec_` and the key's bytes in base64
 */
export function signedHeaders(
  key: string,
  id: string,
  now: Date,
  body: string,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const bytes = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', bytes).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
