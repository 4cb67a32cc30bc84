import { services } from '#services';
import { revokeApiKey } from '../../shared/callers/revoke-api-key.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** DELETE /api/v1/api-keys/{id}: ends a key and the runs that it started. */
export const handler = defineHandler(services, routes.revokeApiKey, revokeApiKey);
