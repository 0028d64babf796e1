import {
  CreateAliasCommand,
  CreateFunctionCommand,
  PublishVersionCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { type FunctionOnStage, liveAlias } from "@workspace/shared-config";
import type { HandoffClients } from "../clients.ts";
import { type Digest, requireRepositoryUri } from "../images/images.ts";

/** Makes the function as a deploy does: it runs the image, and the alias goes to version 1. */
export async function createLiveFunction(
  clients: HandoffClients,
  fn: FunctionOnStage,
  digest: Digest,
): Promise<void> {
  const { lambda } = clients;
  const { functionName: FunctionName } = fn;
  const Code = { ImageUri: `${await requireRepositoryUri(clients, fn)}@${digest}` };
  const Role = "arn:aws:iam::000000000000:role/any";
  const Architectures = [fn.architecture];
  await lambda.send(
    new CreateFunctionCommand({ FunctionName, PackageType: "Image", Code, Role, Architectures }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { FunctionName },
  );
  const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName }));
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: liveAlias, FunctionVersion: Version }));
}
