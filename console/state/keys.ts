import { signal } from '@preact/signals';
import type { ApiKeyDescription } from '../../shared/contract/access.ts';
import { pagesOf } from './api.ts';
import { endWhenRefused } from './session.ts';

export const apiKeys = signal<readonly ApiKeyDescription[] | null>(null);
export const apiKeysProblem = signal<string | null>(null);

/** Reads every API key's description. The keys themselves are nowhere to be read. */
export async function readApiKeys(): Promise<void> {
  apiKeysProblem.value = null;
  try {
    const read: ApiKeyDescription[] = [];
    for await (const page of pagesOf<ApiKeyDescription>('/api-keys', {})) read.push(...page);
    apiKeys.value = read;
  } catch (error) {
    apiKeysProblem.value = endWhenRefused(error);
  }
}

export type KeyState = 'good' | 'revoked' | 'expired';

export function keyState({ revoked_at, expires_at }: ApiKeyDescription, now: number): KeyState {
  if (revoked_at !== null) return 'revoked';
  return expires_at !== null && Date.parse(expires_at) <= now ? 'expired' : 'good';
}
