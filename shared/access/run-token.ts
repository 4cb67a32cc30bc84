import * as z from 'zod';
import { apiKeyId, environmentName, organizationId, pipelineId, runId, userId } from '../contract/ids.ts';

/** A run as the store keeps it. */
export interface RunRecord {
  readonly org: RunClaims['org'];
  readonly run_id: RunClaims['run_id'];
  readonly pipeline_id: RunClaims['pipeline_id'];
  readonly environment: RunClaims['environment'];
  readonly user: RunClaims['user'];
  readonly key_id: RunClaims['key_id'];
  readonly token_id: string;
  readonly started_at: string;
  readonly expires_at: string;
  readonly ended_at: string | null;
}

const claims = z.strictObject({
  /** What the token is for; a token of another audience is refused. */
  aud: z.literal('flowmason-secrets'),
  id: z.string(),
  org: organizationId,
  run_id: runId,
  pipeline_id: pipelineId,
  environment: environmentName,
  user: userId.nullable(),
  key_id: apiKeyId,
  /** Seconds since 1970. */
  exp: z.int(),
});

/** What a run token says. There is no algorithm in it that a reader could be talked into. */
export type RunClaims = z.infer<typeof claims>;

const SHAPE = /^fmr_([A-Za-z0-9_-]{1,2048})\.([A-Za-z0-9_-]{1,256})$/;

/** Whether a bearer credential looks like a run token. */
export function isRunToken(bearer: string): boolean {
  return bearer.startsWith('fmr_');
}

/** The bytes of a token's claims, to be signed. */
export function runTokenMessage(content: RunClaims): Buffer {
  return Buffer.from(JSON.stringify(content));
}

/** `fmr_<claims>.<signature>`, both base64url. */
export function encodeRunToken(message: Uint8Array, signature: Uint8Array): string {
  return `fmr_${Buffer.from(message).toString('base64url')}.${Buffer.from(signature).toString('base64url')}`;
}

/** The signed bytes and the signature of a token; null when it has not the shape of one. */
export function decodeRunToken(token: string): { message: Buffer; signature: Buffer } | null {
  const parts = SHAPE.exec(token);
  if (parts === null) return null;
  const message = Buffer.from(parts[1] as string, 'base64url');
  const signature = Buffer.from(parts[2] as string, 'base64url');
  // Base64 may leave bits over at its end: a token has one form, so that no altered one passes for it.
  return encodeRunToken(message, signature) === token ? { message, signature } : null;
}

/** The claims of a message whose signature was verified; null when it is not for this service. */
export function parseRunClaims(message: Uint8Array): RunClaims | null {
  const parsed = claims.safeParse(parseJson(Buffer.from(message).toString()));
  return parsed.success ? parsed.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
