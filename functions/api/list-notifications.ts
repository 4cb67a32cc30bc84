import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { listNotifications } from '../../shared/reminders/list-notifications.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/notifications: who gets reminders. */
export const handler = defineHandler(services, routes.listNotifications, listNotifications);
