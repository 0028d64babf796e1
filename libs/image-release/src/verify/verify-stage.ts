import { DescribeRepositoriesCommand } from "@aws-sdk/client-ecr";
import { IAMClient } from "@aws-sdk/client-iam";
import {
  type Caller,
  findCaller,
  findConfiguration,
  findImage,
  findLiveConfiguration,
  type HandoffClients,
  isAwsError,
  listPermissions,
  readLeaseHolder,
  readPublishedTag,
  resolvePublished,
  type StoredImage,
} from "@workspace/handoff";
import { type FunctionOnStage, liveAlias } from "@workspace/shared-config";
import { provenanceType } from "../attachments/provenance.ts";
import { sbomType } from "../attachments/sbom.ts";
import { createRegistryClient } from "../registry/registry-client.ts";
import { readRegistryLogin } from "../registry/registry-login.ts";
import { type Check, check, type Finding, type Verdict } from "./check.ts";
import { findPrincipal } from "./principal.ts";
import type { Side } from "./side.ts";
import { simulate } from "./simulate.ts";

export interface VerifyProps {
  readonly clients: HandoffClients;
  readonly fn: FunctionOnStage;
  readonly region: string;
  readonly side: Side;
}

/** Looks at everything that a release or deploy needs, and moves nothing. */
export async function verifyStage(props: VerifyProps): Promise<Check[]> {
  const { clients, fn, region } = props;
  const asked = findCaller(region);
  const credentials = await check("credentials", async () => describeCaller(await asked));
  if (credentials.verdict === "NG") return [credentials];
  const caller = await asked;
  const checks = await Promise.all([
    check("region", async () => checkRegion(fn, region)),
    checkPermissions(props, caller),
    check("repository", () => checkRepository(clients, fn)),
    check("published tag", () => checkPublishedTag(clients, fn)),
    check("published image", () => checkPublishedImage(clients, fn)),
    check("statements", () => checkStatements(props)),
    check("function", () => checkFunction(clients, fn)),
    check("lease", () => checkLease(clients, fn)),
  ]);
  return [credentials, ...checks];
}

function describeCaller({ account, arn }: Caller): Finding {
  return { verdict: "OK", detail: `account ${account}, ${arn}` };
}

function checkRegion({ stage }: FunctionOnStage, region: string): Finding {
  if (region === stage.region) return { verdict: "OK", detail: region };
  const remedy = "Unset AWS_REGION, or change the stage table in libs/shared-config if the stage is to move.";
  return { verdict: "NG", detail: `${region}, but stage ${stage.name} is in ${stage.region}`, remedy };
}

async function checkPermissions({ fn, region, side }: VerifyProps, caller: Caller): Promise<Check> {
  const name = `permissions to ${side}`;
  const principal = findPrincipal(caller.arn);
  if (principal === undefined) {
    return { name, verdict: "SKIP", detail: `the policies of ${caller.arn} can't be simulated` };
  }
  const [, partition = "aws"] = caller.arn.split(":");
  const iam = new IAMClient({ region });
  try {
    const scope = { partition, account: caller.account, region, fns: [fn] };
    const permissions = listPermissions(side, scope);
    const children = await Promise.all(permissions.map((permission) => simulate(iam, principal, permission)));
    const denied = children.filter(({ verdict }) => verdict === "NG").length;
    const verdict: Verdict = denied > 0 ? "NG" : "OK";
    return {
      name,
      verdict,
      detail: denied > 0 ? `${denied} of ${children.length} are missing` : "",
      children,
    };
  } catch (error) {
    if (!isAwsError(error, ...cannotSimulate)) throw error;
    return { name, verdict: "SKIP", detail: `they can't be simulated: ${error.name}: ${error.message}` };
  }
}

/** Not allowed to ask, or a role with a path, which a session's ARN does not show. */
const cannotSimulate = ["AccessDenied", "AccessDeniedException", "NoSuchEntity", "NoSuchEntityException"];

async function checkRepository(
  { ecr }: HandoffClients,
  { repositoryName, stage }: FunctionOnStage,
): Promise<Finding> {
  const command = new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] });
  try {
    const { repositories = [] } = await ecr.send(command);
    const [{ repositoryUri = repositoryName, imageTagMutability = "MUTABLE" } = {}] = repositories;
    if (imageTagMutability !== "MUTABLE") return { verdict: "OK", detail: repositoryUri };
    const remedy = `Run \`nx run infra:deploy --stage ${stage.name}\`, which makes the tags immutable.`;
    return { verdict: "NG", detail: `anybody may move the tags of ${repositoryUri}`, remedy };
  } catch (error) {
    if (!isAwsError(error, "RepositoryNotFoundException")) throw error;
    const remedy = `Run \`nx run infra:deploy --stage ${stage.name}\` first.`;
    return { verdict: "NG", detail: `${repositoryName} does not exist`, remedy };
  }
}

async function checkPublishedTag(clients: HandoffClients, fn: FunctionOnStage): Promise<Finding> {
  const tag = await readPublishedTag(clients, fn);
  return {
    verdict: "OK",
    detail: tag ?? `${fn.imageTagParameter} does not exist: nothing was released`,
  };
}

async function checkPublishedImage(clients: HandoffClients, fn: FunctionOnStage): Promise<Finding> {
  const published = await resolvePublished(clients, fn);
  return published.kind === "initial"
    ? { verdict: "SKIP", detail: "nothing was released" }
    : { verdict: "OK", detail: `${published.digest}, for one platform, ${fn.architecture}` };
}

/** A release makes them; an image that came another way has none, and works without. */
async function checkStatements({ clients, fn, side }: VerifyProps): Promise<Finding> {
  // They are in the registry, which a deploy doesn't log in to.
  if (side === "deploy") return { verdict: "SKIP", detail: "a deploy does not read them" };
  const published = await findPublished(clients, fn);
  if (published === undefined) return { verdict: "SKIP", detail: "no image is published" };
  const login = await readRegistryLogin(clients);
  const registry = createRegistryClient(login, fn.repositoryName, AbortSignal.timeout(10_000));
  const types = (await registry.listReferrers(published.digest)).map(({ artifactType }) => artifactType);
  const expected = Object.entries({ SBOM: sbomType, provenance: provenanceType });
  const missing = expected.filter(([, type]) => !types.includes(type)).map(([name]) => name);
  return missing.length === 0
    ? { verdict: "OK", detail: `${expected.map(([name]) => name).join(", ")} of the published image` }
    : { verdict: "SKIP", detail: `the published image has no ${missing.join(" and no ")}` };
}

/** `undefined` where nothing is published, or nothing that is there: "published image" says so. */
async function findPublished(clients: HandoffClients, fn: FunctionOnStage): Promise<StoredImage | undefined> {
  const tag = await readPublishedTag(clients, fn);
  return tag && findImage(clients, fn, tag);
}

async function checkFunction(clients: HandoffClients, fn: FunctionOnStage): Promise<Finding> {
  const deploy = `Run \`nx run infra:deploy --stage ${fn.stage.name}\`.`;
  const [latest, live] = await Promise.all([
    findConfiguration(clients, fn, "$LATEST"),
    findLiveConfiguration(clients, fn),
  ]);
  if (latest === undefined) {
    return { verdict: "NG", detail: `${fn.functionName} does not exist`, remedy: deploy };
  }
  if (live === undefined) {
    return { verdict: "NG", detail: `${fn.functionName} has no alias ${liveAlias}`, remedy: deploy };
  }
  const [architecture = "x86_64"] = latest.settings.Architectures ?? [];
  if (architecture !== fn.architecture) {
    const detail = `runs on ${architecture}, images are built for ${fn.architecture}`;
    const release = `Run \`nx run ${fn.project}:release --stage ${fn.stage.name}\`, or promote where the stage is promoted to`;
    return { verdict: "NG", detail, remedy: `${release}: that changes it along with the code. Then deploy.` };
  }
  if (latest.lastUpdateStatus === "Failed") {
    const detail = `its last update failed: ${latest.lastUpdateStatusReason}`;
    return { verdict: "NG", detail, remedy: deploy };
  }
  return { verdict: "OK", detail: `version ${live.version} is live, on ${architecture}` };
}

async function checkLease(clients: HandoffClients, fn: FunctionOnStage): Promise<Finding> {
  const holder = await readLeaseHolder(clients, fn);
  if (holder === undefined) return { verdict: "OK", detail: "free" };
  const { command, user, host, since } = holder;
  return {
    verdict: "OK",
    detail: `${command} by ${user}@${host} has it since ${since}; a command would wait`,
  };
}
