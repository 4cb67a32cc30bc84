import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { rollbackSecret } from '../../shared/secrets/rollback-secret.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/rollback: makes a new version with the value of an old one. */
export const handler = defineHandler(services, routes.rollbackSecret, rollbackSecret);
