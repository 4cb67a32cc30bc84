import { services } from '#services';
import { proveAudit } from '../../shared/audit/prove-audit.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets/audit/proof: one record under the newest checkpoint. */
export const handler = defineHandler(services, routes.proveAudit, proveAudit);
