import { randomUUID } from "node:crypto";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  LambdaClient,
  ListAliasesCommand,
  PublishVersionCommand,
  paginateListVersionsByFunction,
  RemovePermissionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRegistry, type Registry } from "../testing/push-image.ts";
import { buildRuntimeScript } from "../testing/runtime-script.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";
import { waitUntil } from "../testing/wait-until.ts";

let server: TestServer;
let lambda: LambdaClient;
let registry: Registry;
const digests: Record<string, string> = {};
beforeAll(async () => {
  server = await startTestServer();
  lambda = new LambdaClient(server.clientConfig);
  registry = await openRegistry(server);
  await registry.createRepository("app");
  for (const tag of ["one", "two"]) {
    const content = buildRuntimeScript(`return "${tag}";`);
    digests[tag] = await registry.pushImage("app", tag, {
      layers: [[{ name: "runtime", content, mode: 0o755 }]],
      config: { Entrypoint: ["/runtime"] },
    });
  }
});
afterAll(() => server?.stop());

const Role = "arn:aws:iam::000000000000:role/app";
const uriOf = (tag: string) => `${server.host}/app:${tag}`;
const hex = (tag: string) => digests[tag]?.replace("sha256:", "");

function create(ImageUri: string, more: Partial<CreateFunctionCommandInput> = {}) {
  const FunctionName = `fn-${randomUUID().slice(0, 8)}`;
  const input = { FunctionName, Role, PackageType: "Image", Code: { ImageUri }, ...more } as const;
  return lambda.send(new CreateFunctionCommand(input));
}

const getConfiguration = (FunctionName: string, Qualifier?: string) =>
  lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));

const waitUntilSettled = (name: string, qualifier?: string) =>
  waitUntil(async () => {
    const found = await getConfiguration(name, qualifier);
    const isSettled = found.State !== "Pending" && found.LastUpdateStatus !== "InProgress";
    return isSettled ? found : undefined;
  });

async function createSettled(tag = "one", more: Partial<CreateFunctionCommandInput> = {}): Promise<string> {
  const { FunctionName = "" } = await create(uriOf(tag), more);
  await waitUntilSettled(FunctionName);
  return FunctionName;
}

const updateCode = (FunctionName: string, tag: string, RevisionId?: string) =>
  lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri: uriOf(tag), RevisionId }));
const publish = async (FunctionName: string, more = {}) => {
  const published = await lambda.send(new PublishVersionCommand({ FunctionName, ...more }));
  await waitUntilSettled(FunctionName, published.Version);
  return published;
};

describe("a function from an image", () => {
  it("is pending, then active, with the digest of the manifest", async () => {
    const created = await create(uriOf("one"));
    expect(created).toMatchObject({ State: "Pending", StateReasonCode: "Creating", Version: "$LATEST" });
    const settled = await waitUntilSettled(created.FunctionName ?? "");
    expect(settled).toMatchObject({
      State: "Active",
      LastUpdateStatus: "Successful",
      CodeSha256: hex("one"),
      Timeout: 3,
      MemorySize: 128,
      FunctionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${created.FunctionName}`,
      LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${created.FunctionName}` },
    });
    expect(settled.RevisionId).not.toBe(created.RevisionId);
  });

  it.each([
    ["this server", () => uriOf("one")],
    ["ECR on AWS", () => "000000000000.dkr.ecr.eu-central-1.amazonaws.com/app:one"],
    ["a digest", () => `${server.host}/app@${digests.one}`],
  ])("takes the name that %s has for it", async (_what, uri) => {
    const { FunctionName } = await create(uri());
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName }));
    const repositoryUri = uri().replace(/(?<=\/app).*/, "");
    expect(Code).toEqual({
      RepositoryType: "ECR",
      ImageUri: uri(),
      ResolvedImageUri: `${repositoryUri}@${digests.one}`,
    });
  });

  it.each([
    ["a tag that is not there", () => uriOf("none"), "does not exist. Provide a valid source image."],
    [
      "an unknown repository",
      () => `${server.host}/other:one`,
      "does not exist. Provide a valid source image.",
    ],
    ["another registry", () => "docker.io/library/app:one", "is not valid. Provide a valid source image."],
  ])("is refused for %s", async (_what, uri, text) => {
    await expect(create(uri())).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: `Source image ${uri()} ${text}`,
    });
  });

  it("is refused for an index, which Lambda can't run", async () => {
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const one = { digest: digests.one, size: 1, mediaType: "application/vnd.oci.image.manifest.v1+json" };
    await registry.pushManifest("app", "index", { schemaVersion: 2, mediaType, manifests: [one] }, mediaType);
    await expect(create(uriOf("index"))).rejects.toThrow(
      `The image manifest, config or layer media type for the source image ${uriOf("index")} is not supported.`,
    );
  });

  it.each([
    [{ Timeout: 901 }, "'timeout' failed to satisfy constraint"],
    [{ MemorySize: 64 }, "'memorySize' failed to satisfy constraint"],
    [{ EphemeralStorage: { Size: 511 } }, "'ephemeralStorage.size' failed to satisfy constraint"],
    [{ EphemeralStorage: { Size: 10_241 } }, "'ephemeralStorage.size' failed to satisfy constraint"],
    [{ Role: "app" }, "Value 'app' at 'role' failed to satisfy constraint"],
    [{ Role: "arn:aws:iam::000000000000:user/app" }, "at 'role' failed to satisfy constraint"],
    [{ Environment: { Variables: { X: "x" } } }, "[a-zA-Z]([a-zA-Z0-9_])+] (X)"],
    [{ Environment: { Variables: { "A-B": "x" } } }, "[a-zA-Z]([a-zA-Z0-9_])+] (A-B)"],
    [{ Environment: { Variables: { AWS_REGION: "x" } } }, "Reserved keys used in this request: AWS_REGION"],
    [{ Environment: { Variables: { BIG: "x".repeat(4096) } } }, "exceeded the 4KB limit"],
    [{ VpcConfig: { SubnetIds: ["subnet-1"] } }, "does not cover VpcConfig"],
    [{ Runtime: "nodejs22.x", PackageType: "Zip" }, "not on nodejs22.x"],
  ] as const)("is refused with %j", async (settings, text) => {
    await expect(create(uriOf("one"), settings as object)).rejects.toThrow(text);
  });

  it("exists once", async () => {
    const FunctionName = await createSettled();
    await expect(create(uriOf("one"), { FunctionName })).rejects.toMatchObject({
      name: "ResourceConflictException",
      message: `Function already exist: ${FunctionName}`,
    });
  });

  it("is gone after it is deleted", async () => {
    const FunctionName = await createSettled();
    await lambda.send(new DeleteFunctionCommand({ FunctionName }));
    await expect(getConfiguration(FunctionName)).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: `Function not found: arn:aws:lambda:eu-central-1:000000000000:function:${FunctionName}`,
    });
  });
});

describe("a change of $LATEST", () => {
  it("is in progress at first, then done", async () => {
    const name = await createSettled();
    const updated = await updateCode(name, "two");
    expect(updated).toMatchObject({
      LastUpdateStatus: "InProgress",
      CodeSha256: hex("two"),
      State: "Active",
    });
    expect(await waitUntilSettled(name)).toMatchObject({
      LastUpdateStatus: "Successful",
      CodeSha256: hex("two"),
    });
  });

  it("is refused to a caller that has seen an older revision, also when several come at once", async () => {
    const name = await createSettled();
    const { RevisionId } = await getConfiguration(name);
    const attempts = await Promise.allSettled(
      ["one", "two", "one"].map((tag) => updateCode(name, tag, RevisionId)),
    );
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await waitUntilSettled(name);
    await expect(updateCode(name, "two", RevisionId)).rejects.toMatchObject({
      name: "PreconditionFailedException",
      $metadata: { httpStatusCode: 412 },
    });
  });

  it("changes only what is given", async () => {
    const name = await createSettled("one", { Description: "kept", Timeout: 7 });
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, MemorySize: 512 }));
    expect(await waitUntilSettled(name)).toMatchObject({
      MemorySize: 512,
      Description: "kept",
      Timeout: 7,
      CodeSha256: hex("one"),
    });
  });

  it("is refused for what a new function can't have", async () => {
    const FunctionName = await createSettled();
    for (const settings of [{ Role: "app" }, { EphemeralStorage: { Size: 0 } }]) {
      const command = new UpdateFunctionConfigurationCommand({ FunctionName, ...settings });
      await expect(lambda.send(command)).rejects.toThrow("failed to satisfy constraint");
    }
  });

  it("leaves everything as it was when it is refused, or only tried", async () => {
    const name = await createSettled();
    const before = await getConfiguration(name);
    await expect(updateCode(name, "none")).rejects.toThrow("does not exist");
    await lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: name, ImageUri: uriOf("two"), DryRun: true }),
    );
    expect((await getConfiguration(name)).RevisionId).toBe(before.RevisionId);
  });
});

describe("versions", () => {
  it("are numbered copies, made only where something changed", async () => {
    const name = await createSettled();
    const first = await publish(name, { Description: "first" });
    expect(first).toMatchObject({ Version: "1", Description: "first", CodeSha256: hex("one") });
    expect((await publish(name)).Version).toBe("1");
    await updateCode(name, "two");
    await waitUntilSettled(name);
    expect((await publish(name)).Version).toBe("2");
    expect(await getConfiguration(name, "1")).toMatchObject({ CodeSha256: hex("one"), Description: "first" });
  });

  it("are pending at first", async () => {
    const name = await createSettled();
    const published = await lambda.send(new PublishVersionCommand({ FunctionName: name }));
    expect(published.State).toBe("Pending");
    expect(await waitUntilSettled(name, "1")).toMatchObject({ State: "Active" });
  });

  it("are published only from the code and the revision that the caller means", async () => {
    const name = await createSettled();
    await expect(publish(name, { CodeSha256: hex("two") })).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: `CodeSHA256 (${hex("two")}) is different from current CodeSHA256 in $LATEST (${hex("one")}). Please try again with the CodeSHA256 in $LATEST.`,
    });
    await expect(publish(name, { RevisionId: "older" })).rejects.toMatchObject({
      name: "PreconditionFailedException",
    });
    const { RevisionId } = await getConfiguration(name);
    expect((await publish(name, { CodeSha256: hex("one"), RevisionId })).Version).toBe("1");
  });

  it("are listed by pages, and their numbers are never used again", async () => {
    const name = await createSettled();
    await publish(name);
    await lambda.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier: "1" }));
    expect((await publish(name)).Version).toBe("2");
    const versions: (string | undefined)[] = [];
    for await (const page of paginateListVersionsByFunction(
      { client: lambda, pageSize: 1 },
      { FunctionName: name },
    )) {
      versions.push(...(page.Versions ?? []).map(({ Version }) => Version));
    }
    expect(versions).toEqual(["$LATEST", "2"]);
  });
});

describe("aliases", () => {
  it("name a version, and move with a revision", async () => {
    const name = await createSettled();
    await publish(name);
    await updateCode(name, "two");
    await waitUntilSettled(name);
    await publish(name);
    const alias = { FunctionName: name, Name: "live" };
    const { RevisionId } = await lambda.send(new CreateAliasCommand({ ...alias, FunctionVersion: "1" }));
    expect(await getConfiguration(name, "live")).toMatchObject({
      Version: "1",
      CodeSha256: hex("one"),
      FunctionArn: `arn:aws:lambda:eu-central-1:000000000000:function:${name}:live`,
    });
    const move = () => lambda.send(new UpdateAliasCommand({ ...alias, FunctionVersion: "2", RevisionId }));
    await move();
    await expect(move()).rejects.toMatchObject({ name: "PreconditionFailedException" });
    expect(await lambda.send(new GetAliasCommand(alias))).toMatchObject({ FunctionVersion: "2" });
    const { Aliases } = await lambda.send(
      new ListAliasesCommand({ FunctionName: name, FunctionVersion: "2" }),
    );
    expect(Aliases).toMatchObject([{ Name: "live" }]);
    await expect(lambda.send(new GetAliasCommand({ ...alias, Name: "none" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: `Cannot find alias arn: arn:aws:lambda:eu-central-1:000000000000:function:${name}:none`,
    });
  });

  it("keep their versions from being deleted, with full weight or with some", async () => {
    const name = await createSettled();
    await publish(name);
    await updateCode(name, "two");
    await waitUntilSettled(name);
    await publish(name);
    const weights = { AdditionalVersionWeights: { 2: 0.1 } };
    await lambda.send(
      new CreateAliasCommand({
        FunctionName: name,
        Name: "live",
        FunctionVersion: "1",
        RoutingConfig: weights,
      }),
    );
    for (const Qualifier of ["1", "2"]) {
      await expect(
        lambda.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier })),
      ).rejects.toMatchObject({
        name: "ResourceConflictException",
        message: "Unable to delete version because the following aliases reference it: [live]",
      });
    }
  });

  it.each([
    [{ AdditionalVersionWeights: { 1: 0.5 } }, "already included"],
    [{ AdditionalVersionWeights: { 7: 0.5 } }, "Function not found"],
    [{ AdditionalVersionWeights: { $LATEST: 2 } }, "must be between 0 and 1"],
  ])("refuse the weights %j", async (RoutingConfig, text) => {
    const name = await createSettled();
    await publish(name);
    const alias = { FunctionName: name, Name: "live", FunctionVersion: "1", RoutingConfig };
    await expect(lambda.send(new CreateAliasCommand(alias))).rejects.toThrow(text);
  });

  it("have a policy of their own", async () => {
    const name = await createSettled();
    await publish(name);
    const target = { FunctionName: name, Qualifier: "live" };
    await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }));
    const add = () =>
      lambda.send(
        new AddPermissionCommand({
          ...target,
          StatementId: "url",
          Action: "lambda:InvokeFunctionUrl",
          Principal: "*",
          FunctionUrlAuthType: "NONE",
        }),
      );
    await add();
    await expect(add()).rejects.toMatchObject({ name: "ResourceConflictException" });
    const { Policy = "" } = await lambda.send(new GetPolicyCommand(target));
    expect(JSON.parse(Policy).Statement).toEqual([
      {
        Sid: "url",
        Effect: "Allow",
        Principal: "*",
        Action: "lambda:InvokeFunctionUrl",
        Resource: `arn:aws:lambda:eu-central-1:000000000000:function:${name}:live`,
        Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } },
      },
    ]);
    await lambda.send(new RemovePermissionCommand({ ...target, StatementId: "url" }));
    for (const command of [new GetPolicyCommand(target), new GetPolicyCommand({ FunctionName: name })]) {
      await expect(lambda.send(command)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    }
  });
});

it("keeps functions, versions and aliases when the server starts again", async () => {
  const name = await createSettled();
  await publish(name);
  await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }));
  await server.restart();
  expect(await getConfiguration(name, "live")).toMatchObject({ Version: "1", State: "Active" });
});
