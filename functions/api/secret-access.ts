import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { describeAccess } from '../../shared/secrets/describe-access.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets/{name}/access: who may resolve a secret, and who did. */
export const handler = defineHandler(services, routes.secretAccess, describeAccess);
