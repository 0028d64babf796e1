import { type FunctionOnStage, initialTag } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import { checkImage, type Digest } from "../images/images.ts";
import { type Lease, type LeaseProps, withLease } from "../lease/lease.ts";
import { findConfiguration } from "../live/function-state.ts";
import { type LiveResult, makeLive, restoreLatest, withRolledBack } from "../live/make-live.ts";
import type { OnProgress } from "../progress.ts";
import { type Published, resolvePublishedSurely } from "../published/resolve.ts";
import { waitUntilStackSettled } from "../stack/stack.ts";

export interface DeployProps {
  /**
   * Deploys the repository's stack, then the function's, with the published tag in the template; on `initial` it puts
   * the placeholder into the repository too. Rejects where CloudFormation failed. The signal aborts when the lease is
   * lost: what runs is to be ended then. The request that sets CloudFormation going (ExecuteChangeSet) goes through
   * `guard`, so that a process that was paused can't send it late.
   */
  readonly deployStacks: (published: Published, signal: AbortSignal, guard: Lease["guard"]) => Promise<void>;
  /** For a changed configuration; the code has passed its check before. @default undefined: no smoke check */
  readonly smokeEvent?: string | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly leaseTerms?: LeaseProps["terms"];
}

export interface DeployResult {
  readonly published: Published;
  readonly live: LiveResult;
}

/**
 * Stacks settled -> published tag -> stacks deployed -> configuration live. The tag can't change in between, because
 * what publishes one needs the lease; and whatever CloudFormation did, `$LATEST` ends with the published image.
 * @throws CodedError exit code 2 where CloudFormation rolled back; those of {@link resolvePublishedSurely},
 * {@link withLease}, {@link makeLive}
 */
export async function deployInfra(
  clients: HandoffClients,
  fn: FunctionOnStage,
  { deployStacks, smokeEvent, onProgress = () => {}, leaseTerms: terms }: DeployProps,
): Promise<DeployResult> {
  return withLease(clients, fn, { command: "deploy", onProgress, terms }, async (lease) => {
    for (const stackName of [fn.repositoryStackName, fn.stackName]) {
      const { explanation } = await waitUntilStackSettled(clients, stackName, onProgress);
      if (explanation !== undefined) onProgress({ kind: "warning", text: explanation });
    }
    const published = await resolvePublishedSurely(clients, fn);
    await lease.check();
    try {
      await deployStacks(published, lease.signal, lease.guard);
    } catch (error) {
      throw await afterFailedStacks(clients, fn, lease, published, error, onProgress);
    }
    await waitUntilStackSettled(clients, fn.stackName, onProgress);
    const digest = await readDeployedDigest(clients, fn, published);
    // The placeholder answers no app's event well, and is not meant to.
    const checked = published.kind === "published" ? smokeEvent : undefined;
    const live = await makeLive(clients, fn, lease, { digest, smokeEvent: checked, onProgress });
    return { published, live };
  });
}

/** The placeholder is in the repository only once the stacks are deployed. */
async function readDeployedDigest(
  clients: HandoffClients,
  fn: FunctionOnStage,
  published: Published,
): Promise<Digest> {
  if (published.kind === "published") return published.digest;
  return checkImage(clients, fn, initialTag, {
    codePrefix: "E_IMAGE",
    subject: "the placeholder image",
    remedy: `Deploy again; the ECRDeployment of ${fn.stackName} puts it there.`,
    architectureRemedy: "Deploy again, which builds it for the function's architecture.",
  });
}

/** CloudFormation restores the image of its own last template, which may be older than the last release. */
async function afterFailedStacks(
  clients: HandoffClients,
  fn: FunctionOnStage,
  lease: Lease,
  published: Published,
  error: unknown,
  onProgress: OnProgress,
): Promise<unknown> {
  if (lease.signal.aborted) return lease.signal.reason;
  try {
    await waitUntilStackSettled(clients, fn.stackName, onProgress);
    const isThere = (await findConfiguration(clients, fn, "$LATEST")) !== undefined;
    if (!isThere || published.kind === "initial") return error;
    const code = { digest: published.digest, settings: { Architectures: [fn.architecture] } };
    const hasRestored = await restoreLatest(clients, fn, lease, code, onProgress);
    return hasRestored ? withRolledBack(error) : error;
  } catch (second) {
    return withRolledBack(error, second);
  }
}
