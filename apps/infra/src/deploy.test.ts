import { BatchGetImageCommand, PutImageCommand } from "@aws-sdk/client-ecr";
import { findConfiguration, findImage, findLiveConfiguration, findTemplate } from "@workspace/handoff";
import { initialTag } from "@workspace/shared-config";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalStage, openLocalStage } from "./testing/local-stage.ts";

let stage: LocalStage;
beforeAll(async () => {
  stage = await openLocalStage();
  const { exitCode, stderr } = await stage.infra("bootstrap");
  expect(exitCode, stderr).toBe(0);
}, 600_000);
afterAll(() => stage?.close(), 120_000);

/** Through the real CDK CLI, the real provider and a local AWS; each builds on the one before. */
const story = { timeout: 600_000 };

/** Other functions may have what the local AWS refuses. */
const app = ["--function", "lambda-app"] as const;

async function runInfra(...argv: string[]) {
  const { exitCode, stdout, stderr } = await stage.infra(...argv, "--json");
  expect(exitCode, stderr).toBe(0);
  return { value: JSON.parse(stdout), stderr };
}

it("before there is an app, the placeholder goes live and says so", story, async () => {
  const { value } = await runInfra("deploy", ...app);
  expect(value).toMatchObject([{ project: "lambda-app", published: { kind: "initial" } }]);
  const { clients, fn } = stage;
  const placeholder = await findImage(clients, fn, initialTag);
  const live = await findLiveConfiguration(clients, fn);
  expect(live?.digest).toBe(placeholder?.digest);
  const answer = await fetch(value[0].functionUrl);
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain("release");
});

// Needs a hand-off that doesn't ask the placeholder, which answers 503, the app's smoke event.
it(
  "another placeholder under the same tag goes live, though CloudFormation sees no change",
  story,
  async () => {
    const { clients, fn } = stage;
    const digest = await replacePlaceholder();
    expect((await findLiveConfiguration(clients, fn))?.digest).not.toBe(digest);
    const { value, stderr } = await runInfra("deploy", ...app);
    expect(stderr).toContain(`${fn.stackName}: no changes`);
    expect(value[0].live).toMatchObject({ kind: "moved", digest });
    expect((await findLiveConfiguration(clients, fn))?.digest).toBe(digest);
  },
);

it("a dry run and a diff move nothing", story, async () => {
  const before = stage.readOperations().length;
  const { value } = await runInfra("deploy", ...app, "--dry-run");
  expect(value.diff).toContain("There were no differences");
  const moves = stage
    .readOperations()
    .slice(before)
    .filter((operation) => !/^(Get|Describe|List|BatchGet|AssumeRole)/.test(operation));
  expect(moves).toEqual([]);
});

it("an administrator makes the roles of a stage's workflows, and again without a change", story, async () => {
  const argv = ["roles", "--stage", "dev", "--repository", "owner/name"];
  const { value } = await runInfra(...argv);
  const roles: { variable: string; arn: string }[] = value.roles;
  expect(roles.map(({ variable }) => variable)).toEqual([
    "AWS_DEPLOY_ROLE_ARN",
    "AWS_RELEASE_ROLE_ARN",
    "AWS_SOURCE_ROLE_ARN",
    "AWS_DIFF_ROLE_ARN",
  ]);
  for (const { arn } of roles) expect(arn).toMatch(/^arn:aws:iam::\d{12}:role\/deploy-roles-dev-/);
  const again = await runInfra(...argv);
  expect(again.value).toEqual(value);
  expect(again.stderr).toContain("deploy-roles-dev (no changes)");
});

it("destroy takes the function, leaves the images, and says how to remove them", story, async () => {
  const { clients, fn } = stage;
  const { value } = await runInfra("destroy", ...app);
  expect(value.stacks).toEqual([fn.stackName]);
  expect(value.left.map(({ what }: { what: string }) => what).join("\n")).toContain(fn.repositoryStackName);
  expect(await findConfiguration(clients, fn, "$LATEST")).toBeUndefined();
  expect(await findTemplate(clients, fn.stackName)).toBeUndefined();
  expect(await findImage(clients, fn, initialTag)).toBeDefined();
});

/** The same image with an annotation more. Gives its digest. */
async function replacePlaceholder() {
  const { ecr } = stage.clients;
  const { repositoryName } = stage.fn;
  const { images = [] } = await ecr.send(
    new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: initialTag }] }),
  );
  const { imageManifest = "", imageManifestMediaType } = images[0] ?? {};
  const manifest = {
    ...JSON.parse(imageManifest),
    annotations: { "org.opencontainers.image.title": "other" },
  };
  const { image } = await ecr.send(
    new PutImageCommand({
      repositoryName,
      imageTag: initialTag,
      imageManifest: JSON.stringify(manifest),
      imageManifestMediaType,
    }),
  );
  return image?.imageId?.imageDigest;
}
