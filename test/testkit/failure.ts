import { SecretsError } from '../../shared/contract/errors.ts';

/** The code of the SecretsError that something throws; it fails the test when nothing, or anything else, is thrown. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return codeOfError(error);
  }
  return 'nothing was thrown';
}

/** The same for a promise. */
export async function codeOfRejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'nothing was thrown', codeOfError);
}

function codeOfError(error: unknown): string {
  return error instanceof SecretsError ? error.code : `not a SecretsError: ${String(error)}`;
}
