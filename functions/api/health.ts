import { services } from '#services';
import { describeHealth } from '../../shared/callers/describe-health.ts';
import { definePublicHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /health: 200 when the service can serve. */
export const handler = definePublicHandler(services, routes.health, describeHealth);
