import { services } from '#services';
import { describeAuditKey } from '../../shared/audit/describe-audit-key.ts';
import { defineHandler } from '../../shared/http/define-handler.ts';
import * as routes from '../routes.ts';

/** GET /api/v1/secrets/audit/public-key: what checkpoints are verified with. */
export const handler = defineHandler(services, routes.auditPublicKey, describeAuditKey);
