/** What a person needs to act on a failure. All four parts are shown. */
export interface CodedErrorProps {
  /** Stable and searchable: `E_` and upper-case words, such as `E_REPOSITORY_MISSING`. */
  readonly code: `E_${string}`;
  /** What failed, as a clause without a full stop: `image tag is malformed`. */
  readonly what: string;
  /** The value that came, as it came. Left out only where no value took part. */
  readonly value?: unknown;
  /** What to do now, as a sentence in the imperative; it names the command where one helps. */
  readonly remedy: string;
  readonly cause?: unknown;
  /** @default exitCodes.failed */
  readonly exitCode?: ExitCode;
}

/** The exit codes of every command of this workspace. */
export const exitCodes = {
  /** Done, or nothing to do. */
  done: 0,
  /** Failed, and nothing moved. */
  failed: 1,
  /** Failed after something had moved; it was put back. */
  rolledBack: 2,
  /** What is published, what is deployed and what is live disagree. */
  drift: 3,
  /** Another command holds the lease. */
  leaseHeld: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** For a person, who may not see the code itself: Nx ends with 1 whatever its command ended with. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  [exitCodes.done]: "done, or nothing to do",
  [exitCodes.failed]: "failed, and nothing moved",
  [exitCodes.rolledBack]:
    "failed after something had moved; it was put back, unless the message says otherwise",
  [exitCodes.drift]: "drift: what is published, deployed and live disagree",
  [exitCodes.leaseHeld]: "another command holds the lease (or took it over) and nothing more was moved",
};

/** A failure that was foreseen. Everything else is a bug and is shown with its stack. */
export class CodedError extends Error {
  override readonly name = "CodedError";
  readonly code: CodedErrorProps["code"];
  readonly what: string;
  readonly value: unknown;
  readonly remedy: string;
  readonly exitCode: ExitCode;

  constructor(props: CodedErrorProps) {
    super(buildMessage(props), props.cause === undefined ? undefined : { cause: props.cause });
    this.code = props.code;
    this.what = props.what;
    this.value = props.value;
    this.remedy = props.remedy;
    this.exitCode = props.exitCode ?? exitCodes.failed;
  }
}

function buildMessage({ code, what, value, remedy }: CodedErrorProps): string {
  const came = value === undefined ? "" : ` (got ${JSON.stringify(value)})`;
  return `${code}: ${what}${came}. ${remedy}`;
}
