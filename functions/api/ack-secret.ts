import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { ackSecret } from '../../shared/secrets/quiet-secret.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/ack: answers a reminder, and keeps it quiet until a date. */
export const handler = defineHandler(services, routes.ackSecret, ackSecret);
