import { DeleteStackCommand } from "@aws-sdk/client-cloudformation";
import { type HandoffClients, waitUntilStackSettled, withLease } from "@workspace/handoff";
import { CodedError, type FunctionOnStage } from "@workspace/shared-config";
import { buildClients, chooseFunctions, type Surroundings } from "../surroundings.ts";

/** What a destroyed function leaves, and how each of it is removed. */
export interface Left {
  readonly what: string;
  readonly removedBy: string;
}

/** What {@link destroy} would delete, and what would stay. Moves nothing. */
export function planDestroy(
  surroundings: Surroundings,
  only?: string,
): { readonly stacks: string[]; readonly left: Left[] } {
  const fns = chooseFunctions(surroundings, only);
  return { stacks: fns.map(({ stackName }) => stackName), left: fns.flatMap(describeLeft) };
}

/** Deletes the functions' stacks. Images, published tags and leases stay: a later deploy goes on from them. */
export async function destroy(surroundings: Surroundings, only?: string): Promise<void> {
  const clients = buildClients(surroundings);
  for (const fn of chooseFunctions(surroundings, only)) {
    surroundings.signal.throwIfAborted();
    await destroyFunction(clients, fn, surroundings);
  }
}

/** @throws CodedError `E_DESTROY_FAILED`, `E_STACK_BUSY`, and those of {@link withLease} */
export async function destroyFunction(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { onProgress, signal }: Pick<Surroundings, "onProgress" | "signal">,
): Promise<void> {
  const { stackName } = fn;
  await withLease(clients, fn, { command: "destroy", onProgress }, async (lease) => {
    await waitUntilStackSettled(clients, stackName, onProgress);
    signal.throwIfAborted();
    const deleteStack = new DeleteStackCommand({ StackName: stackName });
    await lease.guard((options) => clients.cloudformation.send(deleteStack, options));
    const isOver = (now: string | undefined) =>
      now === undefined || now === "DELETE_COMPLETE" || now === "DELETE_FAILED";
    const { status } = await waitUntilStackSettled(clients, stackName, onProgress, isOver);
    if (status === "DELETE_FAILED") {
      throw new CodedError({
        code: "E_DESTROY_FAILED",
        what: `${stackName} is still there`,
        value: status,
        remedy: "Read the stack's events, mend what failed, and run destroy again.",
      });
    }
  });
}

export function describeLeft({
  repositoryName,
  repositoryStackName,
  imageTagParameter,
  leaseParameter,
}: FunctionOnStage): Left[] {
  return [
    {
      what: `the repository ${repositoryName} with its images, and its stack ${repositoryStackName}`,
      removedBy: `aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${repositoryStackName} && aws cloudformation delete-stack --stack-name ${repositoryStackName} && aws ecr delete-repository --force --repository-name ${repositoryName}`,
    },
    {
      what: `the published tag ${imageTagParameter}: the next deploy puts that image back`,
      removedBy: `aws ssm delete-parameter --name ${imageTagParameter}`,
    },
    { what: `the lease ${leaseParameter}`, removedBy: `aws ssm delete-parameter --name ${leaseParameter}` },
  ];
}
