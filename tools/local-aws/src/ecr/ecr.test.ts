import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetDownloadUrlForLayerCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListImagesCommand,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
  paginateDescribeImages,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ociManifest, openRegistry, type Registry, sha256 } from "../testing/push-image.ts";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let ecr: ECRClient;
let registry: Registry;
let count = 0;
/** A repository of its own for each test. */
let repositoryName: string;
beforeAll(async () => {
  server = await startTestServer();
  ecr = new ECRClient(server.clientConfig);
  registry = await openRegistry(server);
});
beforeEach(async () => {
  count += 1;
  repositoryName = await registry.createRepository(`team/app-${count}`);
});
afterAll(() => server?.stop());

const push = (tag: string, content = tag) =>
  registry.pushImage(repositoryName, tag, { layers: [[{ name: "file", content }]] });
const describeAll = async () =>
  (await ecr.send(new DescribeImagesCommand({ repositoryName }))).imageDetails ?? [];

describe("repositories", () => {
  it("are described with the address that images are pushed to", async () => {
    const { repositories } = await ecr.send(
      new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }),
    );
    expect(repositories?.[0]).toMatchObject({
      repositoryArn: `arn:aws:ecr:eu-central-1:000000000000:repository/${repositoryName}`,
      repositoryUri: `${server.host}/${repositoryName}`,
      imageTagMutability: "MUTABLE",
      createdAt: expect.any(Date),
    });
  });

  it("can't be made twice, and unknown ones are missing", async () => {
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: "RepositoryAlreadyExistsException",
    });
    const unknown = new DescribeImagesCommand({ repositoryName: "unknown" });
    await expect(ecr.send(unknown)).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
  });

  it("are deleted with images only by force", async () => {
    await push("one");
    const remove = (force: boolean) => ecr.send(new DeleteRepositoryCommand({ repositoryName, force }));
    await expect(remove(false)).rejects.toMatchObject({ name: "RepositoryNotEmptyException" });
    await remove(true);
    await registry.createRepository(repositoryName);
    expect(await describeAll()).toEqual([]);
  });

  it("keep a lifecycle policy, and refuse one that isn't one", async () => {
    const read = () => ecr.send(new GetLifecyclePolicyCommand({ repositoryName }));
    await expect(read()).rejects.toMatchObject({ name: "LifecyclePolicyNotFoundException" });
    const rule = { rulePriority: 1, selection: { tagStatus: "any" }, action: { type: "expire" } };
    const withoutCount = JSON.stringify({ rules: [rule] });
    for (const lifecyclePolicyText of ["{", "null", "{}", '{"rules":{}}', '{"rules":[{}]}', withoutCount]) {
      const command = new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText });
      await expect(ecr.send(command)).rejects.toMatchObject({ name: "InvalidParameterException" });
    }
    const selection = { ...rule.selection, countType: "imageCountMoreThan", countNumber: 5 };
    const lifecyclePolicyText = JSON.stringify({ rules: [{ ...rule, selection }] });
    await ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));
    expect(await read()).toMatchObject({ lifecyclePolicyText });
  });

  it("keep a policy, and refuse one that says nothing", async () => {
    const set = (policyText: string) =>
      ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText }));
    const withoutPrincipal = '{"Statement":[{"Effect":"Allow","Action":"ecr:BatchGetImage"}]}';
    for (const policyText of ["{", "{}", withoutPrincipal]) {
      await expect(set(policyText)).rejects.toMatchObject({ name: "InvalidParameterException" });
    }
    const policyText = '{"Statement":[{"Effect":"Allow","Action":"ecr:BatchGetImage","Principal":"*"}]}';
    await set(policyText);
    const read = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }));
    expect(read).toMatchObject({ policyText });
  });
});

describe("images", () => {
  it("are described with all their tags", async () => {
    const digest = await push("one", "same");
    await push("two", "same");
    expect(await describeAll()).toMatchObject([
      {
        imageDigest: digest,
        imageTags: ["one", "two"],
        imageManifestMediaType: ociManifest,
        imagePushedAt: expect.any(Date),
        imageSizeInBytes: expect.any(Number),
      },
    ]);
  });

  it("come by pages", async () => {
    for (const tag of ["a", "b", "c"]) await push(tag);
    const sizes: number[] = [];
    for await (const page of paginateDescribeImages({ client: ecr, pageSize: 2 }, { repositoryName })) {
      sizes.push(page.imageDetails?.length ?? 0);
    }
    expect(sizes).toEqual([2, 1]);
  });

  it("are missing by an unknown tag, and by a digest that has another tag", async () => {
    const imageDigest = await push("one");
    for (const id of [{ imageTag: "none" }, { imageDigest, imageTag: "none" }]) {
      const command = new DescribeImagesCommand({ repositoryName, imageIds: [id] });
      await expect(ecr.send(command)).rejects.toMatchObject({ name: "ImageNotFoundException" });
    }
  });

  it("get another tag by PutImage, once", async () => {
    const imageDigest = await push("one");
    const got = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "one" }] }));
    const imageManifest = got.images?.[0]?.imageManifest ?? "";
    expect(sha256(Buffer.from(imageManifest))).toBe(imageDigest);
    const retag = () => ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: "two" }));
    await retag();
    expect(await describeAll()).toMatchObject([{ imageDigest, imageTags: ["one", "two"] }]);
    await expect(retag()).rejects.toMatchObject({ name: "ImageAlreadyExistsException" });
  });

  it("are refused by PutImage where nothing says what they are", async () => {
    const manifest = { schemaVersion: 2, manifests: [] };
    const put = (imageManifest: object, imageManifestMediaType?: string) =>
      ecr.send(
        new PutImageCommand({
          repositoryName,
          imageManifest: JSON.stringify(imageManifest),
          imageManifestMediaType,
        }),
      );
    const index = "application/vnd.oci.image.index.v1+json";
    for (const attempt of [put({}), put({}, index), put(manifest), put(manifest, "text/plain")]) {
      await expect(attempt).rejects.toMatchObject({
        name: "InvalidParameterException",
        message: expect.stringContaining(
          "'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
        ),
      });
    }
    expect((await put(manifest, index)).image).toMatchObject({ imageManifestMediaType: index });
  });

  it("keep an immutable tag, except where the exclusion names it", async () => {
    await ecr.send(
      new PutImageTagMutabilityCommand({
        repositoryName,
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filter: "initial", filterType: "WILDCARD" }],
      }),
    );
    const first = await push("one", "first");
    await push("initial", "first");
    await expect(push("one", "second")).rejects.toThrow("cannot be overwritten because the tag is immutable");
    const second = await push("initial", "second");
    const tagged = (await describeAll()).map(({ imageDigest, imageTags }) => [imageDigest, imageTags]);
    expect(Object.fromEntries(tagged)).toEqual({ [first]: ["one"], [second]: ["initial"] });
  });

  it("lose a tag, go with the last one, and go at once by digest", async () => {
    const digest = await push("one", "same");
    await push("two", "same");
    const remove = (...imageIds: { imageTag?: string; imageDigest?: string }[]) =>
      ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
    expect(await remove({ imageTag: "one" }, { imageTag: "none" })).toMatchObject({
      imageIds: [{ imageTag: "one", imageDigest: digest }],
      failures: [{ failureCode: "ImageNotFound", imageId: { imageTag: "none" } }],
    });
    expect(await describeAll()).toMatchObject([{ imageTags: ["two"] }]);
    await remove({ imageTag: "two" });
    expect(await describeAll()).toEqual([]);
    const other = await push("three");
    await remove({ imageDigest: other });
    expect(await describeAll()).toEqual([]);
  });

  it("stay without a tag when it moves to another image", async () => {
    const first = await push("moving", "first");
    const second = await push("moving", "second");
    const list = async (tagStatus: "TAGGED" | "UNTAGGED") =>
      (await ecr.send(new ListImagesCommand({ repositoryName, filter: { tagStatus } }))).imageIds;
    expect(await list("TAGGED")).toEqual([{ imageDigest: second, imageTag: "moving" }]);
    expect(await list("UNTAGGED")).toEqual([{ imageDigest: first }]);
  });

  it("are kept when the server starts again, and what no image needs is not", async () => {
    const digest = await push("one");
    const unused = await registry.pushBlob(repositoryName, Buffer.from("belongs to nothing"));
    const head = (blob: string) =>
      fetch(`${server.endpoint}/v2/${repositoryName}/blobs/${blob}`, {
        method: "HEAD",
        headers: registry.headers,
      });
    expect((await head(unused.digest)).status).toBe(200);
    await server.restart();
    expect(await describeAll()).toMatchObject([{ imageDigest: digest, imageTags: ["one"] }]);
    expect((await head(unused.digest)).status).toBe(404);
    expect((await head(digest)).status).toBe(200);
  });
});

it("gives a layer by a URL that needs no login", async () => {
  const content = Buffer.from("a layer");
  const { digest: layerDigest } = await registry.pushBlob(repositoryName, content);
  const { downloadUrl = "" } = await ecr.send(
    new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest }),
  );
  expect(await (await fetch(downloadUrl)).text()).toBe("a layer");
});
