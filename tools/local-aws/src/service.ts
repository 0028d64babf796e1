import type { Store } from "./store.ts";

/** The services that have a room here; each is a folder beside this file. */
export type ServiceName =
  | "cloudformation"
  | "cloudwatch"
  | "ecr"
  | "iam"
  | "lambda"
  | "logs"
  | "s3"
  | "ssm"
  | "sts";

/** One API operation: input and output in the shapes of the AWS SDK, whatever the wire protocol. */
export type Operation = (input: never) => Promise<object>;

/** A service is its operations by name, as `ServiceException`s name them: `PutParameter`. */
export type Operations = Readonly<Record<string, Operation>>;

/** What every service is made from. */
export interface ServiceContext {
  readonly accountId: string;
  readonly region: string;
  /** Scheme, loopback address and port, without a slash at the end: `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  /** The service's own part of the state on disk. */
  readonly store: Store;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /**
   * Calls another service in this process, as a client of it would: CloudFormation makes its resources so.
   * @throws ServiceException
   */
  readonly call: <O = Record<string, unknown>>(
    service: ServiceName,
    operation: string,
    input: object,
  ) => Promise<O>;
  /** Keeps the process alive until the work is done, with no command attached: an update goes on as on AWS. */
  readonly keepAlive: (work: Promise<unknown>) => void;
}

/** An error as AWS would answer it; the protocols write it in their own form. */
export class ServiceException extends Error {
  readonly httpStatus: number;
  /** More members of the error's shape. */
  readonly members: object;

  constructor(name: string, message: string, httpStatus = 400, members: object = {}) {
    super(message);
    this.name = name;
    this.httpStatus = httpStatus;
    this.members = members;
  }
}
