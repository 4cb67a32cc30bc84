import { services } from '#services';
import { verifyAudit } from '../../shared/audit/verify-audit.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets/audit/verify: checks every link of the organization's chain. */
export const handler = defineHandler(services, routes.verifyAudit, verifyAudit);
