import { services } from '#services';
import { queryAudit } from '../../shared/audit/query-audit.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets/audit: who did what, newest first. */
export const handler = defineHandler(services, routes.queryAudit, queryAudit);
