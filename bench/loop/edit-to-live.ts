import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { execa } from "execa";
import { type Bench, run } from "./bench.ts";
import { type DockerEngine, glibcImage } from "./docker-engine.ts";
import { median, race } from "./timing.ts";

const handler = "apps/lambda-app/src/handler.ts";
const functionName = "lambda-app-local";

/**
 * From a saved edit of the handler until the function runs it: `release`, beside what a user would write instead from
 * the same context: docker build, docker push, update-function-code, wait. The latter neither checks nor publishes.
 */
export async function runEditToLive(bench: Bench, engine: DockerEngine | string) {
  let greeting = "Hello";
  const edit = (to: string) => {
    bench.scratch.edit(handler, `"${greeting} from Lambda"`, `"${to} from Lambda"`, `feat: ${to}`);
    greeting = to;
  };
  const release = async (round: number) => {
    edit(`Hello ${round} by release`);
    await run(bench, "stage-run", "image-release", "release", "--function", "lambda-app");
  };
  if (typeof engine === "string") {
    const seconds = await race(bench.rounds, { editToLive: release });
    return {
      seconds: { editToLive: median(seconds.editToLive ?? []) },
      ratios: { editToLiveVsDocker: null },
      skipped: [`editToLiveVsDocker: ${engine}`],
    };
  }
  const byDocker = await prepareDocker(bench, engine);
  await byDocker("warm");
  const seconds = await race(bench.rounds, {
    editToLive: release,
    editToLiveByDocker: async (round) => {
      edit(`Hello ${round} by docker`);
      await byDocker(`round-${round}`);
    },
  });
  const [own, docker] = [median(seconds.editToLive ?? []), median(seconds.editToLiveByDocker ?? [])];
  return {
    seconds: { editToLive: own, editToLiveByDocker: docker },
    ratios: { editToLiveVsDocker: own / docker },
    skipped: [],
  };
}

async function prepareDocker(bench: Bench, engine: DockerEngine): Promise<(tag: string) => Promise<void>> {
  const { AWS_ENDPOINT_URL: endpoint = "", AWS_REGION: region = "" } = bench.environment;
  const config = { endpoint, region, credentials: { accessKeyId: "bench", secretAccessKey: "bench" } };
  const lambda = new LambdaClient(config);
  const { host } = new URL(endpoint);
  const repository = `${host}/${functionName}`;
  const docker = (...argv: string[]) => execa("docker", argv, { env: engine.environment });
  const { authorizationData = [] } = await new ECRClient(config).send(new GetAuthorizationTokenCommand({}));
  const [, password = ""] = Buffer.from(authorizationData[0]?.authorizationToken ?? "", "base64")
    .toString()
    .split(":");
  await execa("docker", ["login", "--username", "AWS", "--password-stdin", host], {
    env: engine.environment,
    input: password,
  });

  return async (tag) => {
    const context = JSON.parse(
      await run(bench, "stage-run", "bun", "docker/src/main.ts", "--function", "lambda-app"),
    ) as {
      directory: string;
      platform: string;
    };
    const imageUri = `${repository}:docker-${tag}`;
    await docker(
      "build",
      "--platform",
      context.platform,
      "--build-arg",
      "BASE_IMAGE=scratch",
      "--build-arg",
      `GLIBC_IMAGE=${glibcImage}`,
      "--tag",
      imageUri,
      context.directory,
    );
    await docker("push", imageUri);
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: functionName, ImageUri: imageUri }));
    for (;;) {
      const { LastUpdateStatus } = await lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: functionName }),
      );
      if (LastUpdateStatus === "Successful") return;
      if (LastUpdateStatus === "Failed") throw new Error("Lambda did not take the image of docker");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
}
