import { DescribeStacksCommand, GetTemplateCommand } from "@aws-sdk/client-cloudformation";
import { CodedError } from "@workspace/shared-config";
import { isAwsError } from "../aws-error.ts";
import type { HandoffClients } from "../clients.ts";
import type { OnProgress } from "../progress.ts";

/** A stack with nothing under way. */
export interface SettledStack {
  /** As CloudFormation has it: `UPDATE_COMPLETE`; `undefined` where there is no stack. */
  readonly status: string | undefined;
  /** What a person should know of the status before going on. @default undefined: nothing */
  readonly explanation: string | undefined;
}

const pollMs = 3_000;
const maxWaitMs = 60 * 60_000;

/**
 * Waits until CloudFormation has ended what it does with the stack. A killed deploy leaves it at work.
 * @param isOver whether that is the end; where something was begun just now, a read may still show what was before it
 * @throws CodedError `E_STACK_BUSY` after an hour
 */
export async function waitUntilStackSettled(
  clients: HandoffClients,
  stackName: string,
  onProgress: OnProgress = () => {},
  isOver: (status: string | undefined) => boolean = (status) => status === undefined || !isBusy(status),
): Promise<SettledStack> {
  const { clock } = clients;
  const startedMs = clock.monotonicMs();
  for (;;) {
    const status = await findStackStatus(clients, stackName);
    if (isOver(status)) return { status, explanation: explainStatus(stackName, status) };
    if (clock.monotonicMs() - startedMs >= maxWaitMs) {
      throw new CodedError({
        code: "E_STACK_BUSY",
        what: `CloudFormation has been at work on ${stackName} for an hour`,
        value: status,
        remedy: "Look at the stack's events; `aws cloudformation cancel-update-stack` ends an update.",
      });
    }
    if (status !== undefined) onProgress({ kind: "waitingForStack", stackName, status });
    await clock.wait(pollMs);
  }
}

/** `undefined` where there is no stack. */
export async function findStackStatus(
  { cloudformation }: HandoffClients,
  StackName: string,
): Promise<string | undefined> {
  try {
    const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
    return Stacks[0]?.StackStatus;
  } catch (error) {
    if (isMissingStack(error)) return undefined;
    throw error;
  }
}

/** The template as it was last deployed, parsed; `undefined` where there is none. */
export async function findTemplate(
  { cloudformation }: HandoffClients,
  StackName: string,
): Promise<Template | undefined> {
  try {
    const { TemplateBody } = await cloudformation.send(new GetTemplateCommand({ StackName }));
    return TemplateBody ? JSON.parse(TemplateBody) : undefined;
  } catch (error) {
    if (isMissingStack(error)) return undefined;
    throw error;
  }
}

/** The part of a template that the protocol looks at. */
export interface Template {
  readonly Resources?: Readonly<
    Record<
      string,
      { readonly Type: string; readonly Properties?: { readonly Code?: { readonly ImageUri?: unknown } } }
    >
  >;
}

/**
 * The tags or digests in the `ImageUri` of the template's functions, whether it is a string or put together by
 * `Fn::Join` or `Fn::Sub`.
 */
export function listTemplateImages(template: Template): string[] {
  const functions = Object.values(template.Resources ?? {}).filter(
    ({ Type }) => Type === "AWS::Lambda::Function",
  );
  return functions.flatMap(({ Properties }) => {
    const texts = listTexts(Properties?.Code?.ImageUri);
    return /[:@]((?:sha256:)?[\w.-]+)$/.exec(texts.at(-1) ?? "")?.[1] ?? [];
  });
}

function listTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(listTexts) : [];
}

/** A stack that only has a change set under review has nothing under way. */
function isBusy(status: string): boolean {
  return status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS";
}

function explainStatus(stackName: string, status: string | undefined): string | undefined {
  switch (status) {
    case "UPDATE_ROLLBACK_FAILED":
      return `${stackName} is UPDATE_ROLLBACK_FAILED: the last update could not be undone; run \`aws cloudformation continue-update-rollback --stack-name ${stackName}\``;
    case "ROLLBACK_FAILED":
    case "CREATE_FAILED":
      return `${stackName} is ${status}: it was never created whole; delete it, the next deploy makes it again`;
    case "ROLLBACK_COMPLETE":
      return `${stackName} is ROLLBACK_COMPLETE: it was never created, and the CDK deletes it first; where it is protected against that, run \`aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${stackName}\``;
    case "DELETE_FAILED":
      return `${stackName} is DELETE_FAILED: its events say which resource is left; delete that, then the stack`;
    default:
      return undefined;
  }
}

/** CloudFormation has no name of its own for it: `Stack with id lambda-app-dev does not exist`. */
function isMissingStack(error: unknown): boolean {
  return isAwsError(error, "ValidationError") && error.message.includes("does not exist");
}
