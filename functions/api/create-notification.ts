import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { createNotification } from '../../shared/reminders/create-notification.ts';
import * as routes from '../routes.ts';

/** POST /api/v1/notifications: says that somebody gets reminders. */
export const handler = defineHandler(services, routes.createNotification, createNotification);
