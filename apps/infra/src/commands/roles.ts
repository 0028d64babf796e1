import { join } from "node:path";
import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { findCaller } from "@workspace/handoff";
import { CodedError } from "@workspace/shared-config";
import { buildDeployArgv, runCdk } from "../cdk-cli.ts";
import { ciRoles } from "../roles/ci-roles.ts";
import { parseGitHubRepository } from "../roles/github-subject.ts";
import { buildRolesApp, rolesStackName } from "../roles/roles-app.ts";
import { buildClients, chooseFunctions, outputDirectory, type Surroundings } from "../surroundings.ts";
import { ensureBootstrapped } from "./bootstrap.ts";

/** A role, and the variable of the GitHub environment that is to name it. */
export interface DeployedRole {
  readonly variable: string;
  readonly arn: string;
}

/**
 * Makes the roles of a stage's workflows. An administrator's act, apart from every deploy, so that no push changes in
 * passing what the workflows may do.
 * @param repository `OWNER/NAME`
 * @param hasProvider whether the account has GitHub as an identity provider already
 * @throws CodedError `E_REPOSITORY_MALFORMED`, `E_STAGE_WITHOUT_ROLES`, `E_NOT_BOOTSTRAPPED`, `E_CDK_FAILED`
 */
export async function deployRoles(
  surroundings: Surroundings,
  repository: string,
  hasProvider: boolean,
): Promise<DeployedRole[]> {
  const { stage, region, onDetail, signal } = surroundings;
  const parsed = parseGitHubRepository(repository);
  if (ciRoles[stage.name].length === 0) {
    throw new CodedError({
      code: "E_STAGE_WITHOUT_ROLES",
      what: "no workflow works on this stage",
      value: stage.name,
      remedy: "Name another with --stage, or add its roles to apps/infra/src/roles/ci-roles.ts.",
    });
  }
  const clients = buildClients(surroundings);
  const [{ account }] = await Promise.all([findCaller(region), ensureBootstrapped(surroundings, clients)]);
  const outdir = join(outputDirectory, rolesStackName(stage), "cdk.out");
  const fns = chooseFunctions(surroundings);
  buildRolesApp({ account, region, stage, fns, repository: parsed, hasProvider, outdir }).synth();
  await runCdk(buildDeployArgv(outdir), { onLine: onDetail, signal });
  const { Stacks = [] } = await clients.cloudformation.send(
    new DescribeStacksCommand({ StackName: rolesStackName(stage) }),
  );
  return (Stacks[0]?.Outputs ?? []).map(({ Description = "", OutputValue = "" }) => ({
    variable: Description,
    arn: OutputValue,
  }));
}
