import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { execa, execaSync } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createScratchWorkspace, type ScratchWorkspace } from "./scratch-workspace.ts";
import { openStageSession, type StageSession } from "./stage-session.ts";
import { createWorld } from "./story/world.ts";

/** Programs that know nothing of this workspace, as judges of what it pushes and answers. */
const missing = ["skopeo", "aws"].filter(
  (program) => execaSync("which", [program], { reject: false }).failed,
);
if (missing.length > 0) {
  console.warn(
    `standard-clients: skipped where ${missing.join(" and ")} is not installed (Debian: skopeo, awscli)`,
  );
}

let scratch: ScratchWorkspace;
let session: StageSession;
const downloads = mkdtempSync(join(tmpdir(), "standard-clients-"));
beforeAll(async () => {
  if (missing.length === 2) return;
  scratch = createScratchWorkspace();
  session = await openStageSession(scratch.directory, {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
  });
  for (const target of ["infra:deploy", "lambda-app:release"]) {
    await execa("npx", ["nx", "run", target], {
      cwd: scratch.directory,
      env: session.environment,
      extendEnv: false,
    });
  }
}, 300_000);
afterAll(async () => {
  await session?.close();
  scratch?.remove();
  rmSync(downloads, { recursive: true, force: true });
});

const aws = async (...argv: string[]) => {
  const endpoint = ["--endpoint-url", session.environment.AWS_ENDPOINT_URL ?? "", "--output", "json"];
  const { stdout } = await execa("aws", [...argv, ...endpoint], {
    env: session.environment,
    extendEnv: false,
  });
  return JSON.parse(stdout);
};

describe.skipIf(missing.includes("aws"))("the AWS CLI reads the answers", () => {
  it.each([
    { argv: ["sts", "get-caller-identity"], has: { Account: "000000000000" } },
    {
      argv: ["ssm", "get-parameter", "--name", "/lambda-app/local/image-tag"],
      has: { Parameter: { Type: "String", Version: 1 } },
    },
    {
      argv: ["lambda", "get-alias", "--function-name", "lambda-app-local", "--name", "live"],
      has: { Name: "live" },
    },
    {
      argv: ["lambda", "get-function", "--function-name", "lambda-app-local"],
      has: { Configuration: { PackageType: "Image", State: "Active", LastUpdateStatus: "Successful" } },
    },
    {
      argv: ["cloudformation", "describe-stacks", "--stack-name", "lambda-app-local"],
      has: { Stacks: [{ StackStatus: "CREATE_COMPLETE" }] },
    },
    {
      argv: ["ecr", "describe-repositories", "--repository-names", "lambda-app-local"],
      has: { repositories: [{ imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" }] },
    },
    { argv: ["logs", "describe-log-groups"], has: {} },
    { argv: ["s3api", "list-buckets"], has: {} },
    { argv: ["iam", "list-roles"], has: {} },
  ])("$argv", async ({ argv, has }) => {
    expect(await aws(...argv)).toMatchObject(has);
  });
});

describe.skipIf(missing.includes("skopeo"))("skopeo reads the image that oci-build pushed", () => {
  /** The image that is published, and the password of its registry, as any client gets them. */
  const findImage = async () => {
    const { AWS_ENDPOINT_URL = "" } = session.environment;
    const world = createWorld(scratch, session.environment, "lambda-app");
    const { authorizationData } = await new ECRClient({
      endpoint: AWS_ENDPOINT_URL,
      region: world.fn.stage.region,
      credentials: { accessKeyId: "standard", secretAccessKey: "client" },
    }).send(new GetAuthorizationTokenCommand({}));
    const credentials = Buffer.from(authorizationData?.[0]?.authorizationToken ?? "", "base64").toString();
    const tag = await world.readPublishedTag();
    return {
      credentials,
      reference: `docker://${new URL(AWS_ENDPOINT_URL).host}/${world.fn.repositoryName}:${tag}`,
    };
  };

  it("inspects it", async () => {
    const { credentials, reference } = await findImage();
    const inspected = await execa("skopeo", [
      "inspect",
      "--tls-verify=false",
      "--creds",
      credentials,
      reference,
    ]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      Os: "linux",
      Architecture: expect.stringMatching(/amd64|arm64/),
    });
  });

  it("copies it, every digest checked", async () => {
    const { credentials, reference } = await findImage();
    const target = `oci:${downloads}:copied`;
    await execa("skopeo", ["copy", "--src-tls-verify=false", "--src-creds", credentials, reference, target]);
  });
});
