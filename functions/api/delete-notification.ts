import { services } from '#services';
import { defineHandler } from '../../shared/http/define-handler.ts';
import { deleteNotification } from '../../shared/reminders/delete-notification.ts';
import * as routes from '../routes.ts';

/** DELETE /api/v1/notifications/{id}: ends somebody’s reminders. */
export const handler = defineHandler(services, routes.deleteNotification, deleteNotification);
