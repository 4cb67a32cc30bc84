import { App } from 'aws-cdk-lib/core';

/** The AWS deployment. It has no stack yet, so cdk stops with "This app contains no stacks": this says why. */
const app = new App();
process.stderr.write('flowmason-secrets: the AWS deployment is not written yet, so nothing is deployed\n');
app.synth();
