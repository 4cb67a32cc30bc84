import { signal } from '@preact/signals';
import type { SecretMetadata } from '../../shared/contract/secrets.ts';

export const views = ['secrets', 'rotation', 'audit', 'usage', 'keys'] as const;
export type View = (typeof views)[number];

/** Where the reader is: a view, perhaps one thing in it, and how it is narrowed. All of it is in the address. */
export interface Place {
  readonly view: View;
  readonly thing: string | null;
  readonly query: URLSearchParams;
}

/** Anybody can make an address: what is no name of a secret is asked for nowhere. */
const SECRET_NAME = /^[A-Za-z][\w-]{0,127}$/;

export const place = signal<Place>(readPlace());
addEventListener('hashchange', () => {
  place.value = readPlace();
});

function readPlace(): Place {
  const [path = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const [first = '', thing = ''] = path.split('/', 2);
  const view = views.find((name) => name === first) ?? 'secrets';
  return { view, thing: SECRET_NAME.test(thing) ? thing : null, query: new URLSearchParams(search) };
}

export function addressOf(view: View, query: Readonly<Record<string, string>> = {}, thing?: string): string {
  const search = new URLSearchParams(query).toString();
  return `#/${view}${thing === undefined ? '' : `/${encodeURIComponent(thing)}`}${search ? `?${search}` : ''}`;
}

export function go(address: string): void {
  location.hash = address;
}

/** Which secret of a name is meant, in the words of the API. */
export function selectorOf(
  secret: Pick<SecretMetadata, 'scope' | 'pipeline_id' | 'user' | 'environment'>,
): Record<string, string> {
  return {
    scope: secret.scope,
    ...(secret.pipeline_id === null ? {} : { pipeline_id: secret.pipeline_id }),
    ...(secret.user === null ? {} : { user: secret.user }),
    environment: secret.environment ?? 'none',
  };
}

export function secretAddress(secret: SecretMetadata): string {
  return addressOf('secrets', selectorOf(secret), secret.name);
}
