import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { snoozeSecret } from '../../shared/secrets/quiet-secret.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/secrets/{name}/snooze: puts reminders off for some days. */
export const handler = defineHandler(services, routes.snoozeSecret, snoozeSecret);
