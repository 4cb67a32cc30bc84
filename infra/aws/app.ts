import { App, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundleFunctions } from './bundle.ts';
import { addStacks, deployedFunctions } from './deployment.ts';
import { readSettings } from './settings.ts';

/** The AWS deployment: `npx cdk deploy --all`, with `-c stage=…` and what else infra/aws/settings.ts names. */
const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
addStacks(app, readSettings(app.node), await bundleFunctions(deployedFunctions));
app.synth();
