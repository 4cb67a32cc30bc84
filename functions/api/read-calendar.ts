import { services } from '#services';
import { definePublicHandler } from '../../shared/http/define-handler.ts';
import { readCalendar } from '../../shared/reminders/read-calendar.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/calendar/{file}: a calendar of what is to be rotated. */
export const handler = definePublicHandler(services, routes.readCalendar, readCalendar);
