import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { explainReadFailure, findCaller, type HandoffClients, isAwsError } from "@workspace/handoff";
import { CodedError } from "@workspace/shared-config";
import { buildBootstrapArgv, runCdk } from "../cdk-cli.ts";
import type { Surroundings } from "../surroundings.ts";

const versionParameter = "/cdk-bootstrap/hnb659fds/version";

/** Makes what the CDK needs in an account and region, once. */
export async function bootstrap(surroundings: Surroundings): Promise<void> {
  const { region, onDetail, signal } = surroundings;
  const { account } = await findCaller(region);
  await runCdk(buildBootstrapArgv(account, region), { onLine: onDetail, signal });
}

/** On stages that say so it bootstraps where that has not been done. @throws CodedError `E_NOT_BOOTSTRAPPED` */
export async function ensureBootstrapped(surroundings: Surroundings, clients: HandoffClients): Promise<void> {
  if (await isBootstrapped(clients)) return;
  const { stage, onProgress } = surroundings;
  if (!stage.autoBootstrap) {
    throw new CodedError({
      code: "E_NOT_BOOTSTRAPPED",
      what: `the CDK is not set up in the account of stage ${stage.name}`,
      value: versionParameter,
      remedy: `Let an administrator run \`nx run infra:bootstrap --stage ${stage.name}\`, once.`,
    });
  }
  onProgress({ kind: "step", text: "setting the CDK up" });
  await bootstrap(surroundings);
}

async function isBootstrapped({ ssm }: HandoffClients): Promise<boolean> {
  try {
    await ssm.send(new GetParameterCommand({ Name: versionParameter }));
    return true;
  } catch (error) {
    if (isAwsError(error, "ParameterNotFound")) return false;
    throw explainReadFailure(
      error,
      "E_BOOTSTRAP_READ",
      `the version of the CDK's set-up, ${versionParameter},`,
    );
  }
}
