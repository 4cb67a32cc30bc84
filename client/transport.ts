import { UnsupportedError } from './errors.ts';
import type { SecretMetadata } from './metadata.ts';
import type { Reply } from './problems.ts';

/** What the client needs of the server. Rejects with the errors of `errors.ts`, or with the signal's reason. */
export interface Transport {
  /** A config with its references replaced, or why not. */
  resolve(config: unknown, signal?: AbortSignal): Promise<Reply>;
  /** What each reference of a config would find. Nothing is opened. */
  check(config: unknown, signal?: AbortSignal): Promise<Reply>;
  /** The metadata of every secret that could resolve here. */
  list(signal?: AbortSignal): Promise<readonly SecretMetadata[]>;
}

/** In place of the HTTP API, where only the resolve function is known. */
export function withoutApi(): never {
  throw new UnsupportedError(
    'The resolve function only resolves. Set the address of the server and a credential beside it.',
  );
}
