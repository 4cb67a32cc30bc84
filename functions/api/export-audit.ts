import { services } from '#services';
import { exportAudit } from '../../shared/audit/export-audit.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets/audit/export: the log as it is, for another machine to verify. */
export const handler = defineHandler(services, routes.exportAudit, exportAudit);
