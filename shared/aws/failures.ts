import { SecretsError } from '../contract/errors.ts';

/** Faults of ours and not of AWS: they become `internal`, so that nobody tries again in vain. */
const OUR_FAULTS = ['ValidationException', 'SerializationException'];

/** The failure of a request that AWS did not carry out, for whatever reason: the reason is in AWS's own logs. */
export function unavailable(): SecretsError {
  return new SecretsError('unavailable', 'The store or the key service did not answer in time. Try again.');
}

/**
 * What an error of the SDK is to whoever called the port: throttled, timed out, refused by IAM, a disabled key,
 * no credentials — nothing can be answered now. Names only: messages quote keys and parameters.
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof SecretsError || error instanceof TypeError) return error;
  return OUR_FAULTS.includes(nameOf(error)) ? error : unavailable();
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
