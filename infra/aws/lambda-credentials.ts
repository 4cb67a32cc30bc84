/**
 * In the functions' bundles this stands for `@aws-sdk/credential-provider-node`: Lambda gives a role's credentials by
 * its environment, and files, SSO, STS and metadata servers are code that is never run there.
 */
export function defaultProvider() {
  return async () => {
    const {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN,
    } = process.env;
    if (accessKeyId === undefined || secretAccessKey === undefined)
      throw new TypeError('Lambda gave no credentials.');
    return {
      accessKeyId,
      secretAccessKey,
      ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
    };
  };
}
