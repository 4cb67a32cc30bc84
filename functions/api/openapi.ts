import { services } from '#services';
import { openapiDocument } from '../../shared/contract/openapi.ts';
import { VERSION } from '../../shared/contract/version.ts';
import { definePublicHandler } from '../../shared/http/define-handler.ts';
import * as table from '../routes.ts';

const document = openapiDocument(table.routes, VERSION);

/** GET /openapi.json: this API, made of the routes table. */
export const handler = definePublicHandler(services, table.openapi, async () => document);
