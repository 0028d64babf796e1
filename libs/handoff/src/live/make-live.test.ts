import {
  CreateAliasCommand,
  CreateFunctionCommand,
  PublishVersionCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { exitCodes, liveAlias, parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import { requireRepositoryUri } from "../images/images.ts";
import { withLease } from "../lease/lease.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { requireConfiguration } from "./function-state.ts";
import { type MakeLiveProps, makeLive } from "./make-live.ts";

let localAws: LocalAws;
let clients: HandoffClients;
beforeAll(async () => {
  localAws = await openLocalAws();
  clients = localAws.buildClients();
});
afterAll(() => localAws?.close());

describe("makeLive, of a function whose architecture has been changed", () => {
  const before = parseFunction("lambda-app", stages.dev, "x86_64");
  const after = { ...before, architecture: "arm64" as const };
  const makeLiveWith = (props: MakeLiveProps) =>
    withLease(clients, after, { command: "release" }, (lease) => makeLive(clients, after, lease, props));
  const readCode = async () => {
    const { digest, settings } = await requireConfiguration(clients, after, "$LATEST");
    return { digest, architectures: settings.Architectures };
  };
  let oldDigest: string;
  beforeAll(async () => {
    const { lambda } = clients;
    const { functionName: FunctionName } = before;
    oldDigest = await pushImage(clients, before, { architecture: "amd64", tag: "old" });
    const Code = { ImageUri: `${await requireRepositoryUri(clients, before)}@${oldDigest}` };
    const Role = "arn:aws:iam::000000000000:role/any";
    await lambda.send(new CreateFunctionCommand({ FunctionName, PackageType: "Image", Code, Role }));
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
      { FunctionName },
    );
    const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName }));
    await lambda.send(new CreateAliasCommand({ FunctionName, Name: liveAlias, FunctionVersion: Version }));
  });

  it("changes it along with the code, and back where the new version does not prove itself", async () => {
    const digest = await pushImage(clients, after, { architecture: "arm64", tag: "new" });
    // Without a layer it can't even be started.
    await expect(makeLiveWith({ digest, smokeEvent: "{}" })).rejects.toMatchObject({
      code: "E_SMOKE_FAILED",
      exitCode: exitCodes.rolledBack,
    });
    expect(await readCode()).toEqual({ digest: oldDigest, architectures: ["x86_64"] });

    expect(await makeLiveWith({ digest })).toMatchObject({ kind: "moved", version: "2" });
    expect(await readCode()).toEqual({ digest, architectures: ["arm64"] });
  });
});
