import type { IncomingMessage, ServerResponse } from "node:http";
import type { Store } from "./store.ts";

/** The services that have a room here; each is a folder beside this file. */
export const serviceNames = [
  "cloudformation",
  "cloudwatch",
  "ecr",
  "iam",
  "lambda",
  "logs",
  "s3",
  "ssm",
  "sts",
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** One API operation: input and output in the shapes of the AWS SDK, whatever the wire protocol. */
// biome-ignore lint/suspicious/noExplicitAny: each operation narrows its own input
export type Operation = (input: any, caller: Caller) => Promise<object>;

/** Who calls, as far as the signature says. */
export interface Caller {
  readonly accessKeyId: string;
}

/** A request that is not an API operation: the registry's, a function URL's. */
export type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

export interface Service {
  /** By name, as the API reference has it: `PutParameter`. */
  readonly operations: Readonly<Record<string, Operation>>;
  /** By the start of the path: `/v2/`. */
  readonly routes?: Readonly<Record<string, Route>>;
  /** Takes up what a killed server left half done. */
  readonly resume?: () => void;
  /** Ends what the service started. */
  readonly stop?: () => Promise<void>;
}

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
  /** A line for the server's log. */
  readonly log: (line: string) => void;
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

/** Refuses what is given but not covered here, by name: an emulator that ignores it would be believed. */
export function refuseOthers(operation: string, input: object, known: readonly string[]): void {
  const others = Object.keys(input).filter((name) => !known.includes(name));
  if (others.length > 0) {
    throw new ServiceException(
      "LocalAwsUnsupported",
      `local-aws: ${operation} does not cover ${others.join(", ")}`,
      501,
    );
  }
}
