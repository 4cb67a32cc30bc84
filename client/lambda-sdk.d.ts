/** As much of the optional package as is used, so that the client type-checks and builds without it. */
declare module '@aws-sdk/client-lambda' {
  export class InvokeCommand {
    constructor(input: { FunctionName: string; Payload: Uint8Array });
  }

  export class LambdaClient {
    constructor(config: object);
    send(
      command: InvokeCommand,
      options: { abortSignal: AbortSignal },
    ): Promise<{ readonly FunctionError?: string; readonly Payload?: Uint8Array }>;
  }
}
