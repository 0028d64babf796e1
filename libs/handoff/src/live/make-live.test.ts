import {
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  type GetFunctionConfigurationCommandInput,
  UpdateAliasCommand,
} from "@aws-sdk/client-lambda";
import { exitCodes, liveAlias, parseFunction, stages } from "@workspace/shared-config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HandoffClients } from "../clients.ts";
import type { Digest } from "../images/images.ts";
import { withLease } from "../lease/lease.ts";
import { intercept } from "../testing/intercept.ts";
import { createLiveFunction } from "../testing/live-function.ts";
import { type LocalAws, openLocalAws } from "../testing/local-aws.ts";
import { pushImage } from "../testing/push-image.ts";
import { requireConfiguration, requireLiveAlias } from "./function-state.ts";
import { type MakeLiveProps, makeLive } from "./make-live.ts";

let localAws: LocalAws;
let clients: HandoffClients;
beforeAll(async () => {
  localAws = await openLocalAws();
  clients = localAws.buildClients();
});
afterAll(() => localAws?.close());

const dev = parseFunction("lambda-app", stages.dev, "x86_64");

describe("makeLive, of a function whose architecture has been changed", () => {
  const after = { ...dev, architecture: "arm64" as const };
  const makeLiveWith = (props: MakeLiveProps) =>
    withLease(clients, after, { command: "release" }, (lease) => makeLive(clients, after, lease, props));
  const readCode = async () => {
    const { digest, settings } = await requireConfiguration(clients, after, "$LATEST");
    return { digest, architectures: settings.Architectures };
  };
  let oldDigest: Digest;
  beforeAll(async () => {
    oldDigest = await pushImage(clients, dev, { architecture: "amd64", tag: "old" });
    await createLiveFunction(clients, dev, oldDigest);
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

describe("makeLive, where a step fails, puts back what was live", () => {
  const fn = { ...dev, functionName: "fails", repositoryName: "fails" };
  let oldDigest: Digest;
  let digest: Digest;
  beforeAll(async () => {
    oldDigest = await pushImage(clients, fn, { architecture: "amd64", tag: "old" });
    digest = await pushImage(clients, fn, { architecture: "amd64", tag: "new", author: "new" });
    await createLiveFunction(clients, fn, oldDigest);
  });

  /** Makes the new image live by way of these clients, and reads what is there after that. */
  async function failToMakeLive(through: HandoffClients, props: Partial<MakeLiveProps> = {}) {
    const error = await withLease(through, fn, { command: "release" }, (lease) =>
      makeLive(through, fn, lease, { digest, ...props }),
    ).catch((caught: unknown) => caught);
    const { version, weights } = await requireLiveAlias(clients, fn);
    const latest = await requireConfiguration(clients, fn, "$LATEST");
    expect({ version, weights, latest: latest.digest }).toEqual({
      version: "1",
      weights: {},
      latest: oldDigest,
    });
    return error;
  }

  it("of a version that Lambda can't activate", async () => {
    const through = localAws.buildClients();
    intercept(
      through.lambda,
      GetFunctionConfigurationCommand,
      async (send, { Qualifier = "1" }: GetFunctionConfigurationCommandInput) => ({
        ...(await send()),
        ...(Qualifier !== "1" && { State: "Failed", StateReason: "no such image" }),
      }),
    );
    expect(await failToMakeLive(through)).toMatchObject({
      code: "E_VERSION_NOT_ACTIVE",
      value: "Failed: no such image",
      exitCode: exitCodes.rolledBack,
    });
  });

  it("of code that Lambda does not take", async () => {
    const through = localAws.buildClients();
    intercept(through.lambda, GetFunctionConfigurationCommand, async (send) => {
      const answer: FunctionConfiguration = await send();
      const isTaken = digest.endsWith(answer.CodeSha256 ?? "") && answer.LastUpdateStatus === "Successful";
      const failed = { LastUpdateStatus: "Failed", LastUpdateStatusReason: "no such image" };
      return { ...answer, ...(isTaken && failed) };
    });
    expect(await failToMakeLive(through)).toMatchObject({
      code: "E_CODE_UPDATE_FAILED",
      value: "no such image",
      exitCode: exitCodes.rolledBack,
    });
  });

  it("of an alias that something else changes at the same time", async () => {
    const through = localAws.buildClients();
    intercept(through.lambda, UpdateAliasCommand, async (send) => {
      const Description = "changed by hand";
      const byHand = { FunctionName: fn.functionName, Name: liveAlias, Description };
      await clients.lambda.send(new UpdateAliasCommand(byHand));
      return send();
    });
    expect(await failToMakeLive(through)).toMatchObject({
      code: "E_CHANGED_OUTSIDE",
      exitCode: exitCodes.rolledBack,
    });
  });

  it("of a canary that fails with the part of the traffic that it has", async () => {
    const through = localAws.buildClients();
    let weights: readonly number[] = [];
    through.cloudwatch.send = async () => {
      weights = Object.values((await requireLiveAlias(clients, fn)).weights);
      return { MetricDataResults: [{ Id: "errors", StatusCode: "Complete", Values: [1] }] };
    };
    expect(await failToMakeLive(through, { canary: { percent: 10, bakeMs: 1 } })).toMatchObject({
      code: "E_CANARY_FAILED",
      exitCode: exitCodes.rolledBack,
    });
    expect(weights).toEqual([0.1]);
  });
});
