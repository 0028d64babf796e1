/** What a handler learns about its invocation, beside the event. */
export interface Context {
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** Epoch milliseconds at which the invocation is ended. */
  readonly deadlineMs: number;
  readonly clientContext?: unknown;
  readonly identity?: unknown;
  getRemainingTimeInMillis(): number;
}

export type Handler<E = unknown, R = unknown> = (event: E, context: Context) => R | Promise<R>;
