import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { describeSecret } from '../../shared/secrets/describe-secret.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets/{name}: what is known of a secret, without its value. */
export const handler = defineHandler(services, routes.describeSecret, describeSecret);
